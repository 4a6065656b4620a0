#include "ipc/decode_chat.h"

#include <unordered_set>

#include "ipc/bounds.h"
#include "ipc/decode_message.h"
#include "ipc/decode_tools.h"
#include "ipc/names.h"

namespace requestrouter::ipc {
namespace {

std::vector<Message> ReadMessages(Fields& body) {
  if (body.Has("prompt") == body.Has("messages")) {
    body.Fail("prompt", "exactly one of prompt and messages is required");
    return {};
  }
  std::vector<Message> messages;
  if (body.Has("prompt")) {
    messages.push_back(TextMessage(Role::kUser, body.Text("prompt")));
    return messages;
  }
  body.Each("messages", bounds::kMessages, [&](const Value& value, const std::string& path) {
    messages.push_back(ReadMessage(value, path, body.error()));
  });
  if (messages.empty()) body.Fail("messages", "must not be empty");
  return messages;
}

// With a conv_id the call may be in the history, which is not known here.
void CheckToolCallIds(Fields& body, const ChatRequest& chat) {
  if (!chat.conv_id.empty()) return;
  std::unordered_set<std::string_view> called;
  for (std::size_t i = 0; i < chat.messages.size(); ++i) {
    const Message& message = chat.messages[i];
    for (const ToolCall& call : message.tool_calls) called.insert(call.id);
    if (message.role != Role::kTool || called.contains(message.tool_call_id)) continue;
    const std::string key = "messages[" + std::to_string(i) + "].tool_call_id";
    body.Fail(key.c_str(), "no earlier tool call has the id " + Quoted(message.tool_call_id));
  }
}

ResponseFormat ReadResponseFormat(Fields& body) {
  using Kind = ResponseFormat::Kind;
  const Value* value = body.Find("response_format");
  if (!value) return {};
  Fields fields(*value, body.Path("response_format"), body.error());
  const std::string type = fields.RequiredText("type");
  if (type == "text") return {};
  if (type == "json_object") return {Kind::kJsonObject, "", nullptr};
  if (type != "json_schema") {
    fields.Fail("type", "must be one of text, json_object, json_schema, is " + Quoted(type));
    return {};
  }
  if (!fields.Has("schema")) fields.Fail("schema", "is required: a map, the JSON schema");
  return {Kind::kJsonSchema, fields.RequiredText("name", bounds::kLabel), fields.Map("schema")};
}

std::optional<Reasoning> ReadReasoning(Fields& body) {
  const Value* value = body.Find("reasoning");
  if (!value) return std::nullopt;
  Fields fields(*value, body.Path("reasoning"), body.error());
  Reasoning reasoning;
  if (fields.Has("effort")) {
    reasoning.effort =
        fields.Choice("effort", &EffortFromName, Effort::kMedium, "low, medium, high");
  }
  reasoning.budget_tokens = fields.OptionalInteger("budget_tokens", {0, bounds::kTokens});
  if (reasoning.effort.has_value() == reasoning.budget_tokens.has_value()) {
    fields.Fail("effort", "exactly one of effort and budget_tokens is required");
  }
  return reasoning;
}

// One sequence may come without an array around it.
std::vector<std::string> ReadStop(Fields& body) {
  const Value* value = body.Find("stop");
  if (!value) return {};
  if (value->is_string()) return {body.RequiredText("stop", bounds::kStopBytes)};
  std::vector<std::string> stop;
  body.Each("stop", bounds::kStops, [&](const Value& one, const std::string& path) {
    *body.error() = CheckText(one, path, bounds::kStopBytes);
    if (!*body.error()) stop.push_back(one.get<std::string>());
  });
  return stop;
}

Value ReadProviderOptions(Fields& body) {
  Value options = body.Map("provider_options");
  if (options.is_null()) return options;
  Fields fields(options, body.Path("provider_options"), body.error());
  for (const char* kind : {"gemini", "openai", "anthropic"}) fields.Map(kind);
  return options;
}

void ReadRouting(Fields& body, ChatRequest* chat) {
  chat->model_preference = body.Text("model_preference", bounds::kLabel);
  chat->workload =
      body.Choice("workload", &WorkloadFromName, Workload::kAuto, "light, medium, heavy, auto");
  chat->allow_fallback = body.OptionalFlag("allow_fallback");
  chat->key_id = body.Text("key_id", bounds::kLabel);
  chat->priority =
      body.Choice("priority", &PriorityFromName, Priority::kNormal, "interactive, normal, batch");
  chat->max_wait_ms = body.OptionalInteger("max_wait_ms", {0, bounds::kDayMs});
  chat->on_unknown =
      body.Choice("on_unknown", &OnUnknownFromName, chat->on_unknown, "resend, fail");
  chat->stream = body.Flag("stream", false);
  chat->progress = body.Flag("progress", false);
}

void ReadSampling(Fields& body, ChatRequest* chat) {
  chat->expected_completion_tokens = body.Integer(
      "expected_completion_tokens", chat->expected_completion_tokens, {0, bounds::kTokens});
  chat->max_output_tokens =
      body.Integer("max_output_tokens", chat->max_output_tokens, {1, bounds::kTokens});
  chat->temperature = body.OptionalNumber("temperature", 0, 2).value_or(chat->temperature);
  chat->top_p = body.OptionalNumber("top_p", 0, 1);
  chat->seed = body.OptionalInteger("seed", {INT64_MIN, INT64_MAX});
  chat->stop = ReadStop(body);
  chat->response_format = ReadResponseFormat(body);
  chat->reasoning = ReadReasoning(body);
  chat->provider_options = ReadProviderOptions(body);
}

void ReadLabels(Fields& body, ChatRequest* chat) {
  chat->user_id = body.Text("user_id", bounds::kLabel);
  chat->agent = body.Text("agent", bounds::kLabel);
  chat->metadata = body.Map("metadata");
}

}  // namespace

ChatRequest ReadChat(Fields& body) {
  ChatRequest chat;
  chat.messages = ReadMessages(body);
  chat.conv_id = body.Text("conv_id", bounds::kConvId);
  chat.system_prompt = body.OptionalText("system_prompt");
  ReadRouting(body, &chat);
  ReadSampling(body, &chat);
  chat.tools = ReadTools(body);
  chat.tool_choice = ReadToolChoice(body, chat.tools);
  ReadLabels(body, &chat);
  CheckToolCallIds(body, chat);
  return chat;
}

}  // namespace requestrouter::ipc
