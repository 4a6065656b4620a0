#include "daemon/upstream/gemini_encode.h"

#include "daemon/upstream/json_schema.h"
#include "daemon/upstream/model_name.h"
#include "daemon/upstream/prompt.h"
#include "daemon/upstream/reasoning.h"
#include "daemon/upstream/request_build.h"

namespace requestrouter::upstream {
namespace {

using ipc::Value;

constexpr std::size_t kMaxStopSequences = 5;

bool IsBefore(std::string_view model, ModelVersion version) {
  const auto known = GeminiVersion(model);
  return known && *known < version;
}

bool HasThinking(std::string_view model) {
  return model.substr(0, 6) == "gemini" && !IsBefore(model, {2, 5});
}

// Gemini 3 Pro knows no medium level; the nearest that does not think less is high.
const char* LevelName(std::string_view model, ipc::Effort effort) {
  const bool has_medium = model.substr(0, 12) != "gemini-3-pro";
  return EffortName(effort == ipc::Effort::kMedium && !has_medium ? ipc::Effort::kHigh : effort);
}

// Sets thinkingConfig and the limit on output, which counts thoughts too.
void AddThinking(const Attempt& attempt, Value* config) {
  const ipc::ChatRequest& options = attempt.prompt->options;
  if (!options.reasoning || !HasThinking(attempt.model)) return;
  Value thinking = NewObject();
  const bool takes_level = options.reasoning->effort && !IsBefore(attempt.model, {3, 0});
  if (takes_level) {
    thinking["thinkingLevel"] = LevelName(attempt.model, *options.reasoning->effort);
  } else {
    const std::int64_t budget = BudgetOf(*options.reasoning);
    thinking["thinkingBudget"] = budget;
    (*config)["maxOutputTokens"] = OutputLimitWith(budget, options.max_output_tokens);
  }
  thinking["includeThoughts"] = true;
  (*config)["thinkingConfig"] = std::move(thinking);
}

tl::expected<void, std::string> AddResponseFormat(const Attempt& attempt, Value* config) {
  const ipc::ChatRequest& options = attempt.prompt->options;
  using Kind = ipc::ResponseFormat::Kind;
  if (options.response_format.kind == Kind::kText) return {};
  if (!options.tools.empty() && IsBefore(attempt.model, {3, 0})) {
    return Refuse("response_format: this model cannot combine it with tools");
  }
  (*config)["responseMimeType"] = "application/json";
  if (options.response_format.kind == Kind::kJsonSchema) {
    const char* field = IsBefore(attempt.model, {2, 5}) ? "responseSchema" : "responseJsonSchema";
    (*config)[field] = options.response_format.schema;
  }
  return {};
}

tl::expected<Value, std::string> GenerationConfig(const Attempt& attempt) {
  const ipc::ChatRequest& options = attempt.prompt->options;
  if (options.stop.size() > kMaxStopSequences) return Refuse("stop: at most 5 sequences");
  Value config = NewObject();
  config["temperature"] = options.temperature;
  if (options.top_p) config["topP"] = *options.top_p;
  config["maxOutputTokens"] = options.max_output_tokens;
  if (!options.stop.empty()) config["stopSequences"] = options.stop;
  if (options.seed) config["seed"] = *options.seed;
  if (auto added = AddResponseFormat(attempt, &config); !added) return Refuse(added.error());
  AddThinking(attempt, &config);
  return config;
}

Value FunctionDeclaration(const ipc::Tool& tool) {
  Value declaration = NewObject();
  declaration["name"] = tool.name;
  if (!tool.description.empty()) declaration["description"] = tool.description;
  if (tool.parameters.is_object() && !tool.parameters.empty()) {
    const char* field = IsGeminiSchema(tool.parameters) ? "parameters" : "parametersJsonSchema";
    declaration[field] = tool.parameters;
  }
  return declaration;
}

void AddToolChoice(const ipc::ToolChoice& choice, Value* body) {
  using Mode = ipc::ToolChoice::Mode;
  if (choice.mode == Mode::kAuto) return;
  Value calling = NewObject();
  calling["mode"] = choice.mode == Mode::kNone ? "NONE" : "ANY";
  if (choice.mode == Mode::kNamed) calling["allowedFunctionNames"].push_back(choice.name);
  (*body)["toolConfig"]["functionCallingConfig"] = std::move(calling);
}

void AddTools(const ipc::ChatRequest& options, Value* body) {
  if (options.tools.empty()) return;
  Value declarations = Value::array();
  for (const ipc::Tool& tool : options.tools) declarations.push_back(FunctionDeclaration(tool));
  Value tool = NewObject();
  tool["functionDeclarations"] = std::move(declarations);
  (*body)["tools"] = Value::array({std::move(tool)});
  AddToolChoice(options.tool_choice, body);
}

tl::expected<Value, std::string> Body(const Attempt& attempt) {
  const Prompt& prompt = *attempt.prompt;
  if (auto checked = CheckTools(prompt); !checked) return Refuse(checked.error());
  const auto system = SystemText(prompt.messages);
  if (!system) return Refuse(system.error());
  auto contents = GeminiContents(attempt);
  if (!contents) return contents;
  auto config = GenerationConfig(attempt);
  if (!config) return config;
  Value body = NewObject();
  if (!system->empty()) {
    body["systemInstruction"]["parts"] = Value::array({Value::object({{"text", *system}})});
  }
  body["contents"] = *std::move(contents);
  AddTools(prompt.options, &body);
  body["generationConfig"] = *std::move(config);
  if (auto merged = MergeProviderOptions(prompt.options.provider_options, "gemini", &body);
      !merged) {
    return Refuse(merged.error());
  }
  return body;
}

std::string Url(const Attempt& attempt) {
  std::string_view model = attempt.model;
  if (model.substr(0, 7) == "models/") model.remove_prefix(7);
  return attempt.provider->base_url + "/v1beta/models/" + PercentEncode(model) +
         (attempt.stream ? ":streamGenerateContent?alt=sse" : ":generateContent");
}

}  // namespace

tl::expected<HttpRequest, std::string> EncodeGemini(const Attempt& attempt) {
  auto body = Body(attempt);
  if (!body) return Refuse(body.error());
  return BuildRequest(attempt, Url(attempt), {{"x-goog-api-key", attempt.secret}},
                      *std::move(body));
}

}  // namespace requestrouter::upstream
