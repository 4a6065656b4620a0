#include <algorithm>
#include <array>
#include <set>

#include "tests/support/lower_case.h"
#include "tests/support/sim/openai.h"

namespace requestrouter::sim {
namespace {

constexpr std::array kFields = {"audio",
                                "frequency_penalty",
                                "function_call",
                                "functions",
                                "logit_bias",
                                "logprobs",
                                "max_completion_tokens",
                                "max_tokens",
                                "messages",
                                "metadata",
                                "modalities",
                                "model",
                                "n",
                                "parallel_tool_calls",
                                "prediction",
                                "presence_penalty",
                                "prompt_cache_key",
                                "prompt_cache_retention",
                                "reasoning_effort",
                                "response_format",
                                "safety_identifier",
                                "seed",
                                "service_tier",
                                "stop",
                                "store",
                                "stream",
                                "stream_options",
                                "temperature",
                                "tool_choice",
                                "tools",
                                "top_logprobs",
                                "top_p",
                                "user",
                                "verbosity",
                                "web_search_options"};
constexpr std::array kRoles = {"system", "assistant", "user", "function", "tool", "developer"};

using Checked = tl::expected<void, HttpResponse>;

tl::unexpected<HttpResponse> Fail(const std::string& message, const std::string& param = "",
                                  const std::string& code = "") {
  return tl::unexpected(OpenAiBadRequest(message, param, code));
}

// o1, o3, o4 and gpt-5 think before they answer and take fewer parameters.
bool Reasons(const std::string& model) {
  const auto begins = [&](const char* with) { return model.rfind(with, 0) == 0; };
  return begins("o1") || begins("o3") || begins("o4") || (begins("gpt-5") && !begins("gpt-5-chat"));
}

class Reader {
 public:
  explicit Reader(const Json& body) : body_(body) {}

  tl::expected<Asked, HttpResponse> Run() {
    for (const auto step : {&Reader::ReadTop, &Reader::ReadMessages, &Reader::ReadLimits,
                            &Reader::ReadTools, &Reader::ReadFormat}) {
      if (auto read = (this->*step)(); !read) return tl::unexpected(read.error());
    }
    return std::move(asked_);
  }

 private:
  Checked ReadTop() {
    for (const auto& [name, value] : body_.items()) {
      if (std::find(kFields.begin(), kFields.end(), name) == kFields.end()) {
        return Fail("Unrecognized request argument supplied: " + name);
      }
    }
    asked_.model = TextAt(body_, "model");
    if (asked_.model.empty()) return Fail("you must provide a model parameter");
    asked_.stream = BoolAt(body_, "stream");
    const Json* options = Find(body_, "stream_options");
    if (options && !asked_.stream) {
      return Fail("The 'stream_options' parameter is only allowed when 'stream' is enabled.",
                  "stream_options");
    }
    asked_.stream_usage = options && BoolAt(*options, "include_usage");
    return {};
  }

  Checked ReadMessages() {
    const Json* messages = Find(body_, "messages");
    if (!messages) {
      return Fail("Missing required parameter: 'messages'.", "messages",
                  "missing_required_parameter");
    }
    if (!messages->is_array() || messages->empty()) {
      return Fail(
          "Invalid 'messages': empty array. Expected an array with minimum length 1, but "
          "got an empty array instead.",
          "messages", "empty_array");
    }
    for (std::size_t i = 0; i < messages->size(); ++i) {
      if (auto read = ReadMessage((*messages)[i], "messages[" + std::to_string(i) + "]"); !read) {
        return read;
      }
    }
    return CheckAnswered();
  }

  Checked ReadMessage(const Json& message, const std::string& at) {
    const std::string role = TextAt(message, "role");
    if (std::find(kRoles.begin(), kRoles.end(), role) == kRoles.end()) {
      return Fail("Invalid value: '" + role +
                      "'. Supported values are: 'system', 'assistant', "
                      "'user', 'function', 'tool', and 'developer'.",
                  at + ".role", "invalid_value");
    }
    if (role == "tool") return ReadResult(message, at);
    if (auto checked = CheckAnswered(); !checked) return checked;
    const Json& calls = ItemsAt(message, "tool_calls");
    if (!Find(message, "content") && calls.empty()) {
      return Fail("Invalid value for 'content': expected a string, got null.", at + ".content");
    }
    Turn turn;
    turn.role = role == "assistant" ? Role::kAssistant : Role::kUser;
    if (auto read = ReadContent(message, at, &turn); !read) return read;
    for (const Json& call : calls) {
      open_calls_.insert(TextAt(call, "id"));
      asked_.extra_input_bytes += static_cast<std::int64_t>(Dump(call).size());
    }
    if (role == "system" || role == "developer") {
      asked_.system += turn.text;
    } else {
      asked_.turns.push_back(std::move(turn));
    }
    return {};
  }

  Checked ReadResult(const Json& message, const std::string& at) {
    const std::string id = TextAt(message, "tool_call_id");
    if (open_calls_.erase(id) == 0) {
      return Fail(
          "Invalid parameter: messages with role 'tool' must be a response to a preceeding "
          "message with 'tool_calls'.",
          at + ".role");
    }
    Turn turn;
    turn.role = Role::kTool;
    if (auto read = ReadContent(message, at, &turn); !read) return read;
    asked_.turns.push_back(std::move(turn));
    return {};
  }

  static Checked ReadContent(const Json& message, const std::string& at, Turn* turn) {
    const Json* content = Find(message, "content");
    if (!content) return {};
    if (content->is_string()) {
      turn->text = content->get<std::string>();
      return {};
    }
    if (!content->is_array()) {
      return Fail("Invalid type for '" + at +
                      ".content': expected one of a string or array of "
                      "objects.",
                  at + ".content", "invalid_type");
    }
    for (const Json& part : *content) {
      const std::string type = TextAt(part, "type");
      if (type == "text") {
        turn->text += TextAt(part, "text");
      } else if (type == "image_url" && Find(part, "image_url")) {
        turn->images.push_back(ImageBytes(TextAt(part["image_url"], "url")));
      } else {
        return Fail("Invalid value: '" + type +
                        "'. Supported values are: 'text', 'image_url', "
                        "'input_audio', 'refusal', 'audio', and 'file'.",
                    at + ".content[0].type", "invalid_value");
      }
    }
    return {};
  }

  static std::size_t ImageBytes(const std::string& url) {
    const std::size_t data = url.find(";base64,");
    return data == std::string::npos ? 0 : Base64Bytes(std::string_view(url).substr(data + 8));
  }

  Checked CheckAnswered() const {
    if (open_calls_.empty()) return {};
    return Fail(
        "An assistant message with 'tool_calls' must be followed by tool messages "
        "responding to each 'tool_call_id'. The following tool_call_ids did not have "
        "response messages: " +
            *open_calls_.begin(),
        "messages");
  }

  Checked ReadLimits() {
    const bool reasons = Reasons(asked_.model);
    asked_.reasoning = Find(body_, "reasoning_effort") != nullptr;
    if (reasons && Find(body_, "max_tokens")) {
      return Fail(
          "Unsupported parameter: 'max_tokens' is not supported with this model. Use "
          "'max_completion_tokens' instead.",
          "max_tokens", "unsupported_parameter");
    }
    for (const char* sampling : {"temperature", "top_p"}) {
      const Json* value = Find(body_, sampling);
      if (!reasons || !value || value->get<double>() == 1) continue;
      return Fail(std::string("Unsupported value: '") + sampling + "' does not support " +
                      Dump(*value) + " with this model. Only the default (1) value is supported.",
                  sampling, "unsupported_value");
    }
    asked_.max_output_tokens = IntAt(body_, "max_completion_tokens", IntAt(body_, "max_tokens", 0));
    const Json* stop = Find(body_, "stop");
    if (stop && stop->is_string()) asked_.stop.push_back(*stop);
    for (const Json& one : ItemsAt(body_, "stop")) asked_.stop.push_back(one);
    if (asked_.stop.size() > 4) {
      return Fail("Invalid 'stop': array too long. Expected an array with maximum length 4.",
                  "stop", "array_above_max_length");
    }
    return {};
  }

  Checked ReadTools() {
    for (const Json& tool : ItemsAt(body_, "tools")) {
      const Json* function = Find(tool, "function");
      if (!function || TextAt(*function, "name").empty()) {
        return Fail("Missing required parameter: 'tools[0].function.name'.",
                    "tools[0].function.name", "missing_required_parameter");
      }
      const Json* schema = Find(*function, "parameters");
      asked_.tools.push_back({TextAt(*function, "name"), schema ? *schema : Json::object()});
      asked_.extra_input_bytes += static_cast<std::int64_t>(Dump(tool).size());
    }
    const Json* choice = Find(body_, "tool_choice");
    if (!choice) return {};
    if (asked_.tools.empty()) {
      return Fail(
          "Invalid value for 'tool_choice': 'tool_choice' is only allowed when 'tools' are "
          "specified.",
          "tool_choice");
    }
    if (*choice == "required" || choice->is_object()) asked_.tool_choice = ToolChoice::kRequired;
    if (*choice == "none") asked_.tool_choice = ToolChoice::kNone;
    if (choice->is_object()) asked_.tool_name = TextAt((*choice)["function"], "name");
    return {};
  }

  Checked ReadFormat() {
    const Json* format = Find(body_, "response_format");
    const std::string type = format ? TextAt(*format, "type") : "text";
    if (type == "json_object") {
      asked_.format = Format::kJsonObject;
      return CheckJsonIsNamed();
    }
    if (type != "json_schema") return {};
    const Json* schema = Find(*format, "json_schema");
    if (!schema || TextAt(*schema, "name").empty()) {
      return Fail("Missing required parameter: 'response_format.json_schema.name'.",
                  "response_format.json_schema.name", "missing_required_parameter");
    }
    asked_.format = Format::kJsonSchema;
    if (const Json* shape = Find(*schema, "schema")) asked_.schema = *shape;
    const Json* additional = Find(asked_.schema, "additionalProperties");
    if (BoolAt(*schema, "strict") && (!additional || *additional != false)) {
      return Fail(
          "Invalid schema for response_format '" + TextAt(*schema, "name") +
              "': In context=(), 'additionalProperties' is required to be supplied and to be "
              "false.",
          "response_format", "");
    }
    return {};
  }

  // Without the word the model might never end its answer, which OpenAI therefore refuses.
  Checked CheckJsonIsNamed() const {
    const std::string all = support::LowerCase(Dump(body_["messages"]));
    if (all.find("json") != std::string::npos) return {};
    return Fail(
        "'messages' must contain the word 'json' in some form, to use 'response_format' of "
        "type 'json_object'.",
        "messages");
  }

  const Json& body_;
  Asked asked_;
  std::set<std::string> open_calls_;  // ids that wait for their results
};

}  // namespace

std::string OpenAiDialect::SecretOf(const HttpRequest& request) const {
  const std::string_view bearer = request.Header("authorization");
  constexpr std::string_view kScheme = "Bearer ";
  if (bearer.substr(0, kScheme.size()) != kScheme) return {};
  return std::string(bearer.substr(kScheme.size()));
}

tl::expected<Asked, HttpResponse> OpenAiDialect::Read(const HttpRequest& request) const {
  const Json body = Json::parse(request.body, nullptr, false);
  if (!body.is_object()) {
    return tl::unexpected(BadRequest("We could not parse the JSON body of your request."));
  }
  return Reader(body).Run();
}

}  // namespace requestrouter::sim
