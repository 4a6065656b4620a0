#include "ipc/codec.h"
#include "ipc/names.h"
#include "ipc/wire_value.h"

namespace requestrouter::ipc {
namespace {

Value ToValue(const Error& error) {
  Value value = {{"type", Name(error.type)},
                 {"message", error.message},
                 {"retryable", error.retryable.value_or(IsRetryable(error.type))}};
  if (error.retry_after_ms) value["retry_after_ms"] = *error.retry_after_ms;
  if (!error.details.is_null()) value["details"] = error.details;
  return value;
}

Value ToValue(const TokenUsage& tokens) {
  return {{"input", tokens.input},
          {"output", tokens.output},
          {"total", tokens.total},
          {"cached", tokens.cached},
          {"reasoning", tokens.reasoning}};
}

Value ToValue(const ChatReply& reply) {
  Value value = {{"success", true},
                 {"content", reply.content},
                 {"model", reply.model},
                 {"model_requested", reply.model_requested},
                 {"provider", reply.provider},
                 {"key_id", reply.key_id},
                 {"tokens", ToValue(reply.tokens)}};
  if (reply.cost_usd) value["cost_usd"] = *reply.cost_usd;
  value["finish_reason"] = Name(reply.finish_reason);
  value["tool_calls"] = Value::array();
  for (const ToolCall& call : reply.tool_calls) {
    value["tool_calls"].push_back(ipc::ToValue(call));
  }
  if (!reply.provider_state.is_null()) value["provider_state"] = reply.provider_state;
  value["conversation_id"] = reply.conversation_id;
  value["attempts"] = reply.attempts;
  value["waited_ms"] = reply.waited_ms;
  value["duration_ms"] = reply.duration_ms;
  value["fallback"] = reply.fallback;
  value["persisted"] = reply.persisted;
  value["replayed"] = reply.replayed;
  value["warnings"] = reply.warnings;
  return value;
}

Value ToValue(const ChatDelta& delta) {
  Value value = Value::object();
  if (!delta.text.empty()) value["text"] = delta.text;
  if (!delta.reasoning.empty()) value["reasoning"] = delta.reasoning;
  if (delta.tool_call) {
    Value& call = value["tool_call"];
    call["index"] = delta.tool_call->index;
    if (!delta.tool_call->id.empty()) call["id"] = delta.tool_call->id;
    if (!delta.tool_call->name.empty()) call["name"] = delta.tool_call->name;
    if (!delta.tool_call->arguments.empty()) call["arguments"] = delta.tool_call->arguments;
  }
  return value;
}

Value ToValue(const ChatProgress& progress) {
  Value value = {{"state", Name(progress.state)}};
  if (progress.position) value["position"] = *progress.position;
  if (progress.eta_ms) value["eta_ms"] = *progress.eta_ms;
  if (progress.attempt) value["attempt"] = *progress.attempt;
  return value;
}

std::string Encode(std::string_view id, bool final, const char* outcome, Value value) {
  const bool ok = std::string_view(outcome) == "body";
  return EncodeValue({{"v", kProtocolVersion},
                      {"id", id},
                      {"final", final},
                      {"ok", ok},
                      {outcome, std::move(value)}});
}

}  // namespace

std::string EncodeReply(const Reply& reply) {
  if (const auto* error = std::get_if<Error>(&reply.outcome)) {
    return Encode(reply.id, reply.final, "error", ToValue(*error));
  }
  return Encode(reply.id, reply.final, "body", std::get<Value>(reply.outcome));
}

std::string EncodeChatReply(std::string_view id, const ChatReply& reply) {
  return Encode(id, true, "body", ToValue(reply));
}

std::string EncodeDelta(std::string_view id, std::int64_t seq, const ChatDelta& delta) {
  return Encode(id, false, "body", {{"seq", seq}, {"delta", ToValue(delta)}});
}

std::string EncodeProgress(std::string_view id, std::int64_t seq, const ChatProgress& progress) {
  return Encode(id, false, "body", {{"seq", seq}, {"progress", ToValue(progress)}});
}

std::string EncodeError(std::string_view id, const Error& error) {
  return Encode(id, true, "error", ToValue(error));
}

}  // namespace requestrouter::ipc
