#include <algorithm>
#include <array>
#include <set>

#include "tests/support/sim/anthropic.h"

namespace requestrouter::sim {
namespace {

constexpr std::array kFields = {"cache_control", "container",      "context_management",
                                "inference_geo", "max_tokens",     "mcp_servers",
                                "messages",      "metadata",       "model",
                                "output_config", "output_format",  "service_tier",
                                "speed",         "stop_sequences", "stream",
                                "system",        "temperature",    "thinking",
                                "tool_choice",   "tools",          "top_k",
                                "top_p"};
constexpr std::int64_t kMinBudget = 1024;

using Checked = tl::expected<void, std::string>;

tl::unexpected<std::string> Fail(std::string message) { return tl::unexpected(std::move(message)); }

class Reader {
 public:
  explicit Reader(const Json& body) : body_(body) {}

  tl::expected<Asked, std::string> Run() {
    for (const auto step :
         {&Reader::ReadTop, &Reader::ReadThinking, &Reader::ReadSampling, &Reader::ReadSystem,
          &Reader::ReadMessages, &Reader::ReadTools, &Reader::ReadFormat}) {
      if (auto read = (this->*step)(); !read) return Fail(read.error());
    }
    return std::move(asked_);
  }

 private:
  Checked ReadTop() {
    for (const auto& [name, value] : body_.items()) {
      if (std::find(kFields.begin(), kFields.end(), name) == kFields.end()) {
        return Fail(name + ": Extra inputs are not permitted");
      }
    }
    for (const char* required : {"model", "max_tokens", "messages"}) {
      if (!Find(body_, required)) return Fail(std::string(required) + ": Field required");
    }
    asked_.model = TextAt(body_, "model");
    asked_.max_output_tokens = IntAt(body_, "max_tokens", 0);
    if (asked_.max_output_tokens < 1) {
      return Fail("max_tokens: Input should be greater than or equal to 1");
    }
    asked_.stream = BoolAt(body_, "stream");
    for (const Json& stop : ItemsAt(body_, "stop_sequences")) {
      const std::string text = stop;
      if (text.find_first_not_of(" \t\n") == std::string::npos) {
        return Fail("stop_sequences: each stop sequence must contain non-whitespace");
      }
      asked_.stop.push_back(text);
    }
    return {};
  }

  Checked ReadThinking() {
    const Json* thinking = Find(body_, "thinking");
    const std::string type = thinking ? TextAt(*thinking, "type") : "disabled";
    asked_.reasoning = type != "disabled";
    if (type != "enabled") return {};
    const std::int64_t budget = IntAt(*thinking, "budget_tokens", 0);
    if (budget < kMinBudget) {
      return Fail("thinking.enabled.budget_tokens: Input should be greater than or equal to 1024");
    }
    if (budget >= asked_.max_output_tokens) {
      return Fail(
          "`max_tokens` must be greater than `thinking.budget_tokens`. Please consult our "
          "documentation at https://docs.claude.com/en/docs/build-with-claude/"
          "extended-thinking#max-tokens-and-context-window-size");
    }
    return {};
  }

  Checked ReadSampling() {
    const Json* temperature = Find(body_, "temperature");
    if (!temperature) return {};
    const double value = temperature->get<double>();
    if (value < 0 || value > 1) return Fail("temperature: range: 0..1");
    if (asked_.reasoning && value != 1) {
      return Fail("`temperature` may only be set to 1 when thinking is enabled.");
    }
    return {};
  }

  Checked ReadSystem() {
    const Json* system = Find(body_, "system");
    if (!system) return {};
    if (system->is_string()) asked_.system = system->get<std::string>();
    for (const Json& block : ItemsAt(body_, "system")) asked_.system += TextAt(block, "text");
    return {};
  }

  Checked ReadMessages() {
    const Json& messages = ItemsAt(body_, "messages");
    if (messages.empty()) return Fail("messages: at least one message is required");
    if (TextAt(messages.front(), "role") == "assistant") {
      return Fail("messages: first message must use the \"user\" role");
    }
    for (std::size_t i = 0; i < messages.size(); ++i) {
      if (auto read = ReadMessage(messages[i], "messages." + std::to_string(i)); !read) return read;
    }
    return open_calls_.empty() ? Checked() : Fail(NoResults(messages.size() - 1));
  }

  Checked ReadMessage(const Json& message, const std::string& at) {
    const std::string role = TextAt(message, "role");
    if (role != "user" && role != "assistant") {
      return Fail(at + ".role: Input should be 'user' or 'assistant'");
    }
    Turn turn;
    turn.role = role == "assistant" ? Role::kAssistant : Role::kUser;
    const Json* content = Find(message, "content");
    if (!content) return Fail(at + ".content: Field required");
    std::set<std::string> new_calls;
    if (content->is_string()) {
      turn.text = content->get<std::string>();
      if (turn.text.empty()) return Fail(at + ": all messages must have non-empty content");
    } else {
      if (content->empty()) return Fail(at + ": all messages must have non-empty content");
      for (std::size_t i = 0; i < content->size(); ++i) {
        const std::string where = at + ".content." + std::to_string(i);
        if (auto read = ReadBlock((*content)[i], where, &turn, &new_calls); !read) return read;
      }
    }
    if (!open_calls_.empty()) return Fail(at + ": " + NoResultsText());
    open_calls_ = std::move(new_calls);
    const bool only_results = !turn.images.empty() ? false : turn.text.empty();
    if (turn.role == Role::kAssistant || !only_results) asked_.turns.push_back(std::move(turn));
    return {};
  }

  Checked ReadBlock(const Json& block, const std::string& at, Turn* turn,
                    std::set<std::string>* new_calls) {
    const std::string type = TextAt(block, "type");
    if (type == "text") {
      if (TextAt(block, "text").empty()) {
        return Fail("messages: text content blocks must be non-empty");
      }
      turn->text += TextAt(block, "text");
    } else if (type == "image" && Find(block, "source")) {
      const Json& source = block["source"];
      turn->images.push_back(Base64Bytes(TextAt(source, "data")));
    } else if (type == "tool_use") {
      new_calls->insert(TextAt(block, "id"));
      asked_.extra_input_bytes += static_cast<std::int64_t>(Dump(block["input"]).size());
    } else if (type == "tool_result") {
      return ReadResult(block, at);
    } else if (type == "thinking") {
      if (TextAt(block, "signature") != SignatureOf(TextAt(block, "thinking"))) {
        return Fail(at + ": Invalid `signature` in `thinking` block");
      }
    } else if (type != "redacted_thinking") {
      return Fail(at + ": Input tag '" + type +
                  "' found using 'type' does not match any of the "
                  "expected tags");
    }
    return {};
  }

  Checked ReadResult(const Json& block, const std::string& at) {
    const std::string id = TextAt(block, "tool_use_id");
    if (open_calls_.erase(id) == 0) {
      return Fail(at + ": unexpected `tool_use_id` found in `tool_result` blocks: " + id +
                  ". Each `tool_result` block must have a corresponding `tool_use` block in the "
                  "previous message.");
    }
    Turn turn;
    turn.role = Role::kTool;
    turn.text = TextAt(block, "content");
    for (const Json& part : ItemsAt(block, "content")) turn.text += TextAt(part, "text");
    asked_.turns.push_back(std::move(turn));
    return {};
  }

  std::string NoResultsText() const {
    return "`tool_use` ids were found without `tool_result` blocks immediately after: " +
           *open_calls_.begin() +
           ". Each `tool_use` block must have a corresponding `tool_result` block in the next "
           "message.";
  }
  std::string NoResults(std::size_t index) const {
    return "messages." + std::to_string(index) + ": " + NoResultsText();
  }

  Checked ReadTools() {
    const Json& tools = ItemsAt(body_, "tools");
    for (std::size_t i = 0; i < tools.size(); ++i) {
      const std::string at = "tools." + std::to_string(i) + ".custom.";
      const Json* schema = Find(tools[i], "input_schema");
      if (TextAt(tools[i], "name").empty()) return Fail(at + "name: Field required");
      if (!schema) return Fail(at + "input_schema: Field required");
      if (TextAt(*schema, "type") != "object") {
        return Fail(at + "input_schema.type: Input should be 'object'");
      }
      asked_.tools.push_back({TextAt(tools[i], "name"), *schema});
      asked_.extra_input_bytes += static_cast<std::int64_t>(Dump(tools[i]).size());
    }
    const Json* choice = Find(body_, "tool_choice");
    if (!choice) return {};
    const std::string type = TextAt(*choice, "type");
    if (type == "any" || type == "tool") asked_.tool_choice = ToolChoice::kRequired;
    if (type == "none") asked_.tool_choice = ToolChoice::kNone;
    asked_.tool_name = TextAt(*choice, "name");
    if (asked_.reasoning && asked_.tool_choice == ToolChoice::kRequired) {
      return Fail("Thinking may not be enabled when tool_choice forces tool use.");
    }
    return {};
  }

  Checked ReadFormat() {
    const Json* config = Find(body_, "output_config");
    const Json* format = config ? Find(*config, "format") : nullptr;
    if (!format) return {};
    const Json* schema = Find(*format, "schema");
    if (TextAt(*format, "type") != "json_schema" || !schema) {
      return Fail("output_config.format: Input should be a json_schema with its schema");
    }
    const Json* additional = Find(*schema, "additionalProperties");
    if (TextAt(*schema, "type") == "object" && (!additional || *additional != false)) {
      return Fail(
          "output_config.format.schema: For 'object' type, 'additionalProperties' must be "
          "explicitly set to false");
    }
    asked_.format = Format::kJsonSchema;
    asked_.schema = *schema;
    return {};
  }

  const Json& body_;
  Asked asked_;
  std::set<std::string> open_calls_;  // ids that wait for their results
};

}  // namespace

std::string AnthropicDialect::SecretOf(const HttpRequest& request) const {
  return std::string(request.Header("x-api-key"));
}

tl::expected<Asked, HttpResponse> AnthropicDialect::Read(const HttpRequest& request) const {
  const std::string_view version = request.Header("anthropic-version");
  if (version.empty()) return tl::unexpected(BadRequest("anthropic-version: header is required"));
  if (version != "2023-06-01" && version != "2023-01-01") {
    return tl::unexpected(BadRequest("anthropic-version: \"" + std::string(version) +
                                     "\" is not a valid version. Please use \"2023-06-01\"."));
  }
  const Json body = Json::parse(request.body, nullptr, false);
  if (!body.is_object()) {
    return tl::unexpected(BadRequest("The request body is not valid JSON: expected value"));
  }
  auto asked = Reader(body).Run();
  if (!asked) return tl::unexpected(BadRequest(asked.error()));
  return *std::move(asked);
}

}  // namespace requestrouter::sim
