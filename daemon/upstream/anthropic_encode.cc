#include "daemon/upstream/anthropic_encode.h"

#include <algorithm>
#include <optional>

#include "daemon/upstream/json_schema.h"
#include "daemon/upstream/json_view.h"
#include "daemon/upstream/model_name.h"
#include "daemon/upstream/prompt.h"
#include "daemon/upstream/reasoning.h"
#include "daemon/upstream/request_build.h"

namespace requestrouter::upstream {
namespace {

using ipc::Value;

constexpr std::int64_t kMinBudget = 1'024;
constexpr double kMinTopPWithThinking = 0.95;

// What a model takes. Models without a version in their name are of compatible servers, which
// follow the older ways, except Anthropic's own nameless one.
struct Capabilities {
  bool sampling = true;            // temperature and top_p
  bool both_samplings = false;     // at once
  bool budget = true;              // thinking.type enabled
  bool adaptive = false;           // thinking.type adaptive, with output_config.effort
  bool json_schema = true;         // output_config.format
  bool thinks_by_default = false;  // and is to be told not to
};

Capabilities CapabilitiesOf(std::string_view model) {
  std::optional<ModelVersion> version = ClaudeVersion(model);
  if (!version && model.substr(0, 13) == "claude-mythos") version = ModelVersion{5, 0};
  Capabilities takes;
  if (!version) return takes;
  takes.sampling = *version < ModelVersion{4, 7};
  takes.both_samplings = *version < ModelVersion{4, 0};
  takes.budget = *version < ModelVersion{4, 7};
  takes.adaptive = *version >= ModelVersion{4, 6};
  takes.json_schema = *version >= ModelVersion{4, 1};
  takes.thinks_by_default = *version >= ModelVersion{5, 0};
  return takes;
}

// A budget demands that the assistant's message of an unfinished tool loop begins with thinking,
// which another provider's, or one made without thinking, does not have.
bool CanThinkInThisTurn(const Prompt& prompt) {
  if (prompt.messages.empty() || prompt.messages.back().role != ipc::Role::kTool) return true;
  const auto asked = std::find_if(prompt.messages.rbegin(), prompt.messages.rend(),
                                  [](const ipc::Message& m) { return !m.tool_calls.empty(); });
  return asked != prompt.messages.rend() && StateOf(asked->provider_state, "anthropic") != nullptr;
}

class RequestEncoder {
 public:
  explicit RequestEncoder(const Attempt& attempt)
      : attempt_(attempt),
        prompt_(*attempt.prompt),
        options_(prompt_.options),
        takes_(CapabilitiesOf(attempt.model)) {}

  tl::expected<Value, std::string> Run() {
    if (auto checked = CheckTools(prompt_); !checked) return Refuse(checked.error());
    const auto system = SystemText(prompt_.messages);
    if (!system) return Refuse(system.error());
    auto messages = AnthropicMessages(prompt_);
    if (!messages) return messages;
    body_["model"] = attempt_.model;
    body_["max_tokens"] = options_.max_output_tokens;
    if (!system->empty()) body_["system"] = *system;
    body_["messages"] = *std::move(messages);
    if (!options_.stop.empty()) body_["stop_sequences"] = options_.stop;
    if (auto added = AddReasoning(); !added) return Refuse(added.error());
    if (auto added = AddSampling(); !added) return Refuse(added.error());
    if (auto added = AddResponseFormat(); !added) return Refuse(added.error());
    if (auto added = AddTools(); !added) return Refuse(added.error());
    return Merged();
  }

 private:
  using Added = tl::expected<void, std::string>;

  Added AddReasoning() {
    if (!options_.reasoning) return {};
    const ipc::Reasoning& reasoning = *options_.reasoning;
    if (reasoning.budget_tokens == 0) {
      if (takes_.thinks_by_default) body_["thinking"]["type"] = "disabled";
      return {};
    }
    const bool wants_budget = reasoning.budget_tokens.has_value() || !takes_.adaptive;
    return wants_budget && takes_.budget ? AddBudget(BudgetOf(reasoning)) : AddEffort(reasoning);
  }

  Added AddBudget(std::int64_t budget) {
    if (budget < kMinBudget) return Refuse("reasoning.budget_tokens: must be at least 1024, or 0");
    if (!CanThinkInThisTurn(prompt_)) return {};
    body_["thinking"] = Value::object({{"type", "enabled"}, {"budget_tokens", budget}});
    body_["max_tokens"] = OutputLimitWith(budget, options_.max_output_tokens);
    thinks_ = true;
    return {};
  }

  // From 4.7 on, the text of thoughts is sent only where it is asked for.
  Added AddEffort(const ipc::Reasoning& reasoning) {
    body_["thinking"]["type"] = "adaptive";
    if (!takes_.budget) body_["thinking"]["display"] = "summarized";
    body_["output_config"]["effort"] = EffortName(EffortOf(reasoning));
    thinks_ = true;
    return {};
  }

  // Thinking that the caller asked for in provider_options binds the sampling just as much.
  bool Thinks() const {
    const Value* extra = ObjectMember(options_.provider_options, "anthropic");
    const Value* thinking = extra == nullptr ? nullptr : ObjectMember(*extra, "thinking");
    return thinking == nullptr ? thinks_ : TextMember(*thinking, "type") != "disabled";
  }

  Added AddSampling() {
    if (!takes_.sampling) return {};
    const bool thinks = Thinks();
    if (options_.temperature > 1) return Refuse("temperature: must not be above 1");
    const bool sends_top_p = options_.top_p && (!thinks || *options_.top_p >= kMinTopPWithThinking);
    if (sends_top_p) body_["top_p"] = *options_.top_p;
    const bool sends_temperature = !thinks && (!sends_top_p || takes_.both_samplings);
    if (sends_temperature) body_["temperature"] = options_.temperature;
    return {};
  }

  Added AddResponseFormat() {
    using Kind = ipc::ResponseFormat::Kind;
    if (options_.response_format.kind == Kind::kText) return {};
    if (options_.response_format.kind == Kind::kJsonObject) {
      return Refuse("response_format: json_object does not exist here; use json_schema");
    }
    if (!takes_.json_schema) return Refuse("response_format: this model takes no json_schema");
    Value& format = body_["output_config"]["format"];
    format["type"] = "json_schema";
    format["schema"] = ClosedSchema(options_.response_format.schema);
    return {};
  }

  static Value EncodeTool(const ipc::Tool& tool) {
    Value encoded = NewObject();
    encoded["name"] = tool.name;
    if (!tool.description.empty()) encoded["description"] = tool.description;
    // The schema is required and must be of an object.
    encoded["input_schema"] = tool.parameters.is_object() ? tool.parameters : Value::object();
    if (!encoded["input_schema"].contains("type")) encoded["input_schema"]["type"] = "object";
    return encoded;
  }

  Added AddTools() {
    if (options_.tools.empty()) return {};
    for (const ipc::Tool& tool : options_.tools) body_["tools"].push_back(EncodeTool(tool));
    return AddToolChoice();
  }

  Added AddToolChoice() {
    using Mode = ipc::ToolChoice::Mode;
    const Mode mode = options_.tool_choice.mode;
    if (mode == Mode::kAuto) return {};
    if (mode == Mode::kNone) {
      body_["tool_choice"]["type"] = "none";
      return {};
    }
    if (thinks_) return Refuse("tool_choice: reasoning allows only auto and none");
    body_["tool_choice"]["type"] = mode == Mode::kNamed ? "tool" : "any";
    if (mode == Mode::kNamed) body_["tool_choice"]["name"] = options_.tool_choice.name;
    return {};
  }

  tl::expected<Value, std::string> Merged() {
    const Value& extra = options_.provider_options;
    if (auto merged = MergeProviderOptions(extra, "anthropic", &body_); !merged) {
      return Refuse(merged.error());
    }
    // The answer is read as it was asked for, whatever the options say.
    body_["model"] = attempt_.model;
    body_["stream"] = attempt_.stream;
    return std::move(body_);
  }

  const Attempt& attempt_;
  const Prompt& prompt_;
  const ipc::ChatRequest& options_;
  const Capabilities takes_;
  bool thinks_ = false;
  Value body_ = NewObject();
};

}  // namespace

tl::expected<HttpRequest, std::string> EncodeAnthropic(const Attempt& attempt) {
  auto body = RequestEncoder(attempt).Run();
  if (!body) return Refuse(body.error());
  Headers own = {{"x-api-key", attempt.secret}, {"anthropic-version", "2023-06-01"}};
  return BuildRequest(attempt, attempt.provider->base_url + "/v1/messages", std::move(own),
                      *std::move(body));
}

}  // namespace requestrouter::upstream
