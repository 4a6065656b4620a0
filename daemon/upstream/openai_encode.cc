#include "daemon/upstream/openai_encode.h"

#include "daemon/upstream/json_schema.h"
#include "daemon/upstream/model_name.h"
#include "daemon/upstream/prompt.h"
#include "daemon/upstream/reasoning.h"
#include "daemon/upstream/request_build.h"

namespace requestrouter::upstream {
namespace {

using ipc::Value;

// Of OpenAI's own models; compatible servers have limits of their own.
constexpr std::size_t kMaxStopSequences = 4;

void AddSampling(const ipc::ChatRequest& options, OpenAiFamily family, Value* body) {
  const bool reasons = family == OpenAiFamily::kReasoning;
  (*body)[reasons ? "max_completion_tokens" : "max_tokens"] = options.max_output_tokens;
  if (!reasons) {
    (*body)["temperature"] = options.temperature;
    if (options.top_p) (*body)["top_p"] = *options.top_p;
    if (!options.stop.empty()) (*body)["stop"] = options.stop;
  }
  if (options.seed) (*body)["seed"] = *options.seed;
  if (options.reasoning && family != OpenAiFamily::kPlain) {
    (*body)["reasoning_effort"] = EffortName(EffortOf(*options.reasoning));
  }
}

void AddResponseFormat(const ipc::ResponseFormat& format, Value* body) {
  using Kind = ipc::ResponseFormat::Kind;
  if (format.kind == Kind::kText) return;
  Value& encoded = (*body)["response_format"];
  if (format.kind == Kind::kJsonObject) {
    encoded["type"] = "json_object";
    return;
  }
  encoded["type"] = "json_schema";
  Value& schema = encoded["json_schema"];
  schema["name"] = format.name.empty() ? "response" : format.name;
  schema["schema"] = format.schema;
  if (IsStrictSchema(format.schema)) schema["strict"] = true;
}

Value FunctionTool(const ipc::Tool& tool) {
  Value encoded = NewObject();
  encoded["type"] = "function";
  Value& function = encoded["function"];
  function["name"] = tool.name;
  if (!tool.description.empty()) function["description"] = tool.description;
  if (tool.parameters.is_object()) function["parameters"] = tool.parameters;
  return encoded;
}

void AddToolChoice(const ipc::ToolChoice& choice, Value* body) {
  using Mode = ipc::ToolChoice::Mode;
  Value& encoded = (*body)["tool_choice"];
  switch (choice.mode) {
    case Mode::kAuto:
      encoded = "auto";
      return;
    case Mode::kNone:
      encoded = "none";
      return;
    case Mode::kRequired:
      encoded = "required";
      return;
    case Mode::kNamed:
      break;
  }
  encoded["type"] = "function";
  encoded["function"]["name"] = choice.name;
}

void AddTools(const ipc::ChatRequest& options, Value* body) {
  if (options.tools.empty()) return;
  Value tools = Value::array();
  for (const ipc::Tool& tool : options.tools) tools.push_back(FunctionTool(tool));
  (*body)["tools"] = std::move(tools);
  AddToolChoice(options.tool_choice, body);
}

tl::expected<Value, std::string> Body(const Attempt& attempt) {
  const Prompt& prompt = *attempt.prompt;
  if (auto checked = CheckTools(prompt); !checked) return Refuse(checked.error());
  const OpenAiFamily family = OpenAiFamilyOf(attempt.model);
  if (family == OpenAiFamily::kPlain && prompt.options.stop.size() > kMaxStopSequences) {
    return Refuse("stop: at most 4 sequences");
  }
  auto messages = OpenAiMessages(attempt);
  if (!messages) return messages;
  Value body = NewObject();
  body["model"] = attempt.model;
  body["messages"] = *std::move(messages);
  AddSampling(prompt.options, family, &body);
  AddResponseFormat(prompt.options.response_format, &body);
  AddTools(prompt.options, &body);
  if (attempt.stream) body["stream_options"]["include_usage"] = true;
  const Value& extra = prompt.options.provider_options;
  if (auto merged = MergeProviderOptions(extra, "openai", &body); !merged) {
    return Refuse(merged.error());
  }
  // The answer is read as it was asked for, whatever the options say.
  body["model"] = attempt.model;
  body["stream"] = attempt.stream;
  return body;
}

}  // namespace

tl::expected<HttpRequest, std::string> EncodeOpenAi(const Attempt& attempt) {
  auto body = Body(attempt);
  if (!body) return Refuse(body.error());
  Headers own;
  // A local server needs no key.
  if (!attempt.secret.empty()) own.emplace_back("authorization", "Bearer " + attempt.secret);
  return BuildRequest(attempt, attempt.provider->base_url + "/chat/completions", std::move(own),
                      *std::move(body));
}

}  // namespace requestrouter::upstream
