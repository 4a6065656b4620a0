#include "ipc/codec.h"
#include "ipc/names.h"
#include "ipc/rfc3339.h"
#include "ipc/wire_value.h"

namespace requestrouter::ipc {
namespace {

// Puts `value` under `key` unless it is the default, which the daemon assumes anyway.
template <typename T>
void Put(Value& body, const char* key, const T& value, const T& fallback = T{}) {
  if (value != fallback) body[key] = value;
}

template <typename T>
void Put(Value& body, const char* key, const std::optional<T>& value) {
  if (value) body[key] = *value;
}

void PutMap(Value& body, const char* key, const Value& value) {
  if (!value.is_null()) body[key] = value;
}

bool IsPrompt(const ChatRequest& chat) {
  if (chat.messages.size() != 1) return false;
  const Message& message = chat.messages.front();
  return message == TextMessage(Role::kUser, TextOf(message));
}

Value ToValue(const Tool& tool) {
  Value value = {{"name", tool.name}};
  Put(value, "description", tool.description);
  PutMap(value, "parameters", tool.parameters);
  return value;
}

void PutToolChoice(Value& body, const ToolChoice& choice) {
  switch (choice.mode) {
    case ToolChoice::Mode::kAuto:
      return;
    case ToolChoice::Mode::kNone:
      body["tool_choice"] = "none";
      return;
    case ToolChoice::Mode::kRequired:
      body["tool_choice"] = "required";
      return;
    case ToolChoice::Mode::kNamed:
      body["tool_choice"] = {{"name", choice.name}};
  }
}

void PutResponseFormat(Value& body, const ResponseFormat& format) {
  if (format.kind == ResponseFormat::Kind::kText) return;
  Value& value = body["response_format"];
  if (format.kind == ResponseFormat::Kind::kJsonObject) {
    value = {{"type", "json_object"}};
  } else {
    value = {{"type", "json_schema"}, {"name", format.name}, {"schema", format.schema}};
  }
}

void PutMessages(Value& body, const ChatRequest& chat) {
  if (IsPrompt(chat)) {
    body["prompt"] = TextOf(chat.messages.front());
    return;
  }
  body["messages"] = Value::array();
  for (const Message& message : chat.messages) body["messages"].push_back(ToValue(message));
}

void PutChoice(Value& body, const ChatRequest& chat) {
  Put(body, "model_preference", chat.model_preference);
  if (chat.workload != Workload::kAuto) body["workload"] = Name(chat.workload);
  Put(body, "allow_fallback", chat.allow_fallback);
  Put(body, "key_id", chat.key_id);
  if (chat.on_unknown != OnUnknown::kResend) body["on_unknown"] = Name(chat.on_unknown);
  Put(body, "stream", chat.stream);
  Put(body, "progress", chat.progress);
  if (chat.priority != Priority::kNormal) body["priority"] = Name(chat.priority);
  Put(body, "max_wait_ms", chat.max_wait_ms);
}

Value ToValue(const ChatRequest& chat) {
  Value body = Value::object();
  PutMessages(body, chat);
  Put(body, "conv_id", chat.conv_id);
  Put(body, "system_prompt", chat.system_prompt);
  PutChoice(body, chat);
  Put<std::int64_t>(body, "expected_completion_tokens", chat.expected_completion_tokens, 512);
  Put<std::int64_t>(body, "max_output_tokens", chat.max_output_tokens, 2048);
  Put(body, "temperature", chat.temperature, 0.7);
  Put(body, "top_p", chat.top_p);
  Put(body, "stop", chat.stop);
  Put(body, "seed", chat.seed);
  PutResponseFormat(body, chat.response_format);
  for (const Tool& tool : chat.tools) body["tools"].push_back(ToValue(tool));
  PutToolChoice(body, chat.tool_choice);
  if (chat.reasoning && chat.reasoning->effort) {
    body["reasoning"]["effort"] = Name(*chat.reasoning->effort);
  } else if (chat.reasoning) {
    body["reasoning"]["budget_tokens"] = chat.reasoning->budget_tokens.value_or(0);
  }
  PutMap(body, "provider_options", chat.provider_options);
  Put(body, "user_id", chat.user_id);
  Put(body, "agent", chat.agent);
  PutMap(body, "metadata", chat.metadata);
  return body;
}

Value ToValue(const CancelRequest& request) { return {{"id", request.id}}; }

Value ToValue(const ConversationGetRequest& request) {
  Value body = {{"conv_id", request.conv_id}};
  Put(body, "limit", request.limit);
  Put(body, "uid", request.uid);
  return body;
}

Value ToValue(const ConversationListRequest& request) {
  Value body = Value::object();
  Put(body, "prefix", request.prefix);
  Put(body, "user_id", request.user_id);
  Put<std::int64_t>(body, "limit", request.limit, 100);
  Put(body, "after", request.after);
  Put(body, "uid", request.uid);
  return body;
}

Value ToValue(const ConversationTruncateRequest& request) {
  return {{"conv_id", request.conv_id}, {"keep_last_n", request.keep_last_n}};
}

Value ToValue(const ConversationDeleteRequest& request) { return {{"conv_id", request.conv_id}}; }

Value ToValue(const ConversationExportRequest& request) {
  Value body = Value::object();
  Put(body, "conv_id", request.conv_id);
  return body;
}

Value ToValue(const KeysResetRequest& request) {
  Value body = Value::object();
  Put(body, "key_id", request.key_id);
  Put(body, "all", request.all);
  Put(body, "counters", request.counters);
  return body;
}

Value ToValue(const KeysDisableRequest& request) { return {{"key_id", request.key_id}}; }
Value ToValue(const KeysEnableRequest& request) { return {{"key_id", request.key_id}}; }

Value ToValue(const UsageRequest& request) {
  Value body = Value::object();
  if (request.since_ms) body["since"] = FormatRfc3339(*request.since_ms);
  if (request.until_ms) body["until"] = FormatRfc3339(*request.until_ms);
  for (const UsageGroup group : request.by) body["by"].push_back(Name(group));
  return body;
}

Value ToValue(const ExplainRequest& request) {
  Value body = {{"id", request.id}};
  Put(body, "uid", request.uid);
  return body;
}

Value ToValue(const QueueRequest& request) {
  Value body = Value::object();
  if (request.recent > 0) body["recent"] = request.recent;
  return body;
}

Value ToValue(const BackupRequest& request) { return {{"path", request.path}}; }
Value ToValue(const RestoreRequest& request) { return {{"path", request.path}}; }

template <typename Empty>
Value ToValue(const Empty&) {
  return Value::object();
}

}  // namespace

std::string EncodeRequest(const Request& request) {
  Value payload = {
      {"v", kProtocolVersion}, {"id", request.id}, {"op", OperationName(request.body)}};
  Put<std::int64_t>(payload, "deadline_ms", request.deadline_ms, 120'000);
  Value body = std::visit([](const auto& one) { return ToValue(one); }, request.body);
  if (!body.empty()) payload["body"] = std::move(body);
  return EncodeValue(payload);
}

}  // namespace requestrouter::ipc
