#include "ipc/bounds.h"
#include "ipc/codec.h"
#include "ipc/decode_chat.h"
#include "ipc/fields.h"
#include "ipc/names.h"
#include "ipc/wire_value.h"

namespace requestrouter::ipc {
namespace {

constexpr Fields::Bounds kAny = {INT64_MIN, INT64_MAX};

Error NoReply(std::string why) {
  return {ErrorType::kInternalError, "the daemon's answer is no reply: " + std::move(why),
          std::nullopt, Value(), std::nullopt};
}

Error ReadError(const Value& value, std::optional<Error>* problem) {
  Fields fields(value, "error", problem);
  Error error;
  error.type = fields.Choice("type", &ErrorTypeFromName, ErrorType::kInternalError,
                             "the error types of version 1");
  error.message = fields.Text("message");
  error.retry_after_ms = fields.OptionalInteger("retry_after_ms", kAny);
  error.details = fields.Map("details");
  const bool retryable = fields.Flag("retryable", IsRetryable(error.type));
  if (retryable != IsRetryable(error.type)) error.retryable = retryable;
  return error;
}

TokenUsage ReadTokens(const Value& value, std::optional<Error>* problem) {
  Fields fields(value, "tokens", problem);
  return {fields.Integer("input", 0, kAny), fields.Integer("output", 0, kAny),
          fields.Integer("total", 0, kAny), fields.Integer("cached", 0, kAny),
          fields.Integer("reasoning", 0, kAny)};
}

}  // namespace

Result<Reply> DecodeReply(std::string_view payload, const Limits& limits) {
  const auto decoded = DecodeValue(payload, limits);
  if (!decoded) return tl::unexpected(NoReply("the payload " + decoded.error()));
  std::optional<Error> problem;
  Fields fields(*decoded, "", &problem);
  Reply reply;
  reply.id = fields.Text("id");
  reply.final = fields.Flag("final", true);
  const bool ok = fields.Flag("ok", false);
  const Value* outcome = fields.Find(ok ? "body" : "error");
  if (!problem && (!outcome || !outcome->is_object())) {
    return tl::unexpected(NoReply(ok ? "it has no body" : "it has no error"));
  }
  if (!problem && ok) reply.outcome = *outcome;
  if (!problem && !ok) reply.outcome = ReadError(*outcome, &problem);
  if (problem) return tl::unexpected(NoReply(problem->message));
  return reply;
}

Result<ChatReply> ChatReplyFromValue(const Value& body) {
  std::optional<Error> problem;
  Fields fields(body, "body", &problem);
  ChatReply reply;
  reply.content = fields.Text("content");
  reply.model = fields.Text("model");
  reply.model_requested = fields.Text("model_requested");
  reply.provider = fields.Text("provider");
  reply.key_id = fields.Text("key_id");
  if (const Value* tokens = fields.Find("tokens")) reply.tokens = ReadTokens(*tokens, &problem);
  reply.cost_usd = fields.OptionalNumber("cost_usd", 0, 1e12);
  reply.finish_reason = fields.Choice("finish_reason", &FinishReasonFromName, FinishReason::kStop,
                                      "stop, length, tool_calls, content_filter");
  const Value* calls = fields.Array("tool_calls", SIZE_MAX);
  for (std::size_t i = 0; calls && i < calls->size(); ++i) {
    reply.tool_calls.push_back(ReadToolCall((*calls)[i], "tool_calls", &problem));
  }
  if (const Value* state = fields.Find("provider_state")) reply.provider_state = *state;
  reply.conversation_id = fields.Text("conversation_id");
  reply.attempts = fields.Integer("attempts", 0, kAny);
  reply.waited_ms = fields.Integer("waited_ms", 0, kAny);
  reply.duration_ms = fields.Integer("duration_ms", 0, kAny);
  reply.fallback = fields.Flag("fallback", false);
  reply.persisted = fields.Flag("persisted", false);
  reply.replayed = fields.Flag("replayed", false);
  const Value* warnings = fields.Array("warnings", SIZE_MAX);
  for (std::size_t i = 0; warnings && i < warnings->size(); ++i) {
    if ((*warnings)[i].is_string()) reply.warnings.push_back((*warnings)[i].get<std::string>());
  }
  if (problem) return tl::unexpected(NoReply(problem->message));
  return reply;
}

}  // namespace requestrouter::ipc
