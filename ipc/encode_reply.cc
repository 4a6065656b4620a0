#include "ipc/codec.h"
#include "ipc/names.h"
#include "ipc/wire_writer.h"

// Replies are written straight to bytes: a streamed answer is thousands of small ones.
namespace requestrouter::ipc {
namespace {

// What every reply begins with; the outcome's map follows.
void Begin(WireWriter& writer, std::string_view id, bool final, bool ok) {
  writer.Map(5);
  writer.Integer("v", kProtocolVersion);
  writer.Text("id", id);
  writer.Flag("final", final);
  writer.Flag("ok", ok);
  writer.Text(ok ? "body" : "error");
}

void Write(WireWriter& writer, const Error& error) {
  writer.Map(3 + (error.retry_after_ms ? 1 : 0) + (error.details.is_null() ? 0 : 1));
  writer.Text("type", Name(error.type));
  writer.Text("message", error.message);
  writer.Flag("retryable", error.retryable.value_or(IsRetryable(error.type)));
  if (error.retry_after_ms) writer.Integer("retry_after_ms", *error.retry_after_ms);
  if (!error.details.is_null()) writer.Any("details", error.details);
}

void Write(WireWriter& writer, const TokenUsage& tokens) {
  writer.Map(5);
  writer.Integer("input", tokens.input);
  writer.Integer("output", tokens.output);
  writer.Integer("total", tokens.total);
  writer.Integer("cached", tokens.cached);
  writer.Integer("reasoning", tokens.reasoning);
}

void Write(WireWriter& writer, const ToolCall& call) {
  writer.Map(call.provider_state.is_null() ? 3 : 4);
  writer.Text("id", call.id);
  writer.Text("name", call.name);
  writer.Text("arguments", call.arguments);
  if (!call.provider_state.is_null()) writer.Any("provider_state", call.provider_state);
}

void WriteAnswer(WireWriter& writer, const ChatReply& reply) {
  writer.Flag("success", true);
  writer.Text("content", reply.content);
  writer.Text("model", reply.model);
  writer.Text("model_requested", reply.model_requested);
  writer.Text("provider", reply.provider);
  writer.Text("key_id", reply.key_id);
  writer.Text("tokens");
  Write(writer, reply.tokens);
  if (reply.cost_usd) {
    writer.Text("cost_usd");
    writer.Number(*reply.cost_usd);
  }
  writer.Text("finish_reason", Name(reply.finish_reason));
  writer.Text("tool_calls");
  writer.Array(reply.tool_calls.size());
  for (const ToolCall& call : reply.tool_calls) Write(writer, call);
  if (!reply.provider_state.is_null()) writer.Any("provider_state", reply.provider_state);
}

void WriteCircumstances(WireWriter& writer, const ChatReply& reply) {
  writer.Text("conversation_id", reply.conversation_id);
  writer.Integer("attempts", reply.attempts);
  writer.Integer("waited_ms", reply.waited_ms);
  writer.Integer("duration_ms", reply.duration_ms);
  writer.Flag("fallback", reply.fallback);
  writer.Flag("persisted", reply.persisted);
  writer.Flag("replayed", reply.replayed);
  writer.Text("warnings");
  writer.Array(reply.warnings.size());
  for (const std::string& warning : reply.warnings) writer.Text(warning);
}

void Write(WireWriter& writer, const ToolCallPiece& piece) {
  writer.Map(1 + (piece.id.empty() ? 0 : 1) + (piece.name.empty() ? 0 : 1) +
             (piece.arguments.empty() ? 0 : 1));
  writer.Integer("index", piece.index);
  if (!piece.id.empty()) writer.Text("id", piece.id);
  if (!piece.name.empty()) writer.Text("name", piece.name);
  if (!piece.arguments.empty()) writer.Text("arguments", piece.arguments);
}

void Write(WireWriter& writer, const ChatDelta& delta) {
  writer.Map((delta.text.empty() ? 0 : 1) + (delta.reasoning.empty() ? 0 : 1) +
             (delta.tool_call ? 1 : 0));
  if (!delta.text.empty()) writer.Text("text", delta.text);
  if (!delta.reasoning.empty()) writer.Text("reasoning", delta.reasoning);
  if (!delta.tool_call) return;
  writer.Text("tool_call");
  Write(writer, *delta.tool_call);
}

void Write(WireWriter& writer, const ChatProgress& progress) {
  writer.Map(1 + (progress.position ? 1 : 0) + (progress.eta_ms ? 1 : 0) +
             (progress.attempt ? 1 : 0));
  writer.Text("state", Name(progress.state));
  if (progress.position) writer.Integer("position", *progress.position);
  if (progress.eta_ms) writer.Integer("eta_ms", *progress.eta_ms);
  if (progress.attempt) writer.Integer("attempt", *progress.attempt);
}

// The body of a message that is not final: {seq, KEY: piece}.
template <typename Piece>
std::string EncodePiece(std::string_view id, std::int64_t seq, std::string_view key,
                        const Piece& piece) {
  WireWriter writer;
  Begin(writer, id, false, true);
  writer.Map(2);
  writer.Integer("seq", seq);
  writer.Text(key);
  Write(writer, piece);
  return std::move(writer).Take();
}

}  // namespace

std::string EncodeReply(const Reply& reply) {
  WireWriter writer;
  const auto* error = std::get_if<Error>(&reply.outcome);
  Begin(writer, reply.id, reply.final, !error);
  if (error) {
    Write(writer, *error);
  } else {
    writer.Any(std::get<Value>(reply.outcome));
  }
  return std::move(writer).Take();
}

std::string EncodeChatReply(std::string_view id, const ChatReply& reply) {
  constexpr std::size_t kAroundContent = 512;
  WireWriter writer(kAroundContent + reply.content.size());
  Begin(writer, id, true, true);
  writer.Map(17 + (reply.cost_usd ? 1 : 0) + (reply.provider_state.is_null() ? 0 : 1));
  WriteAnswer(writer, reply);
  WriteCircumstances(writer, reply);
  return std::move(writer).Take();
}

std::string EncodeDelta(std::string_view id, std::int64_t seq, const ChatDelta& delta) {
  return EncodePiece(id, seq, "delta", delta);
}

std::string EncodeProgress(std::string_view id, std::int64_t seq, const ChatProgress& progress) {
  return EncodePiece(id, seq, "progress", progress);
}

std::string EncodeError(std::string_view id, const Error& error) {
  WireWriter writer;
  Begin(writer, id, true, false);
  Write(writer, error);
  return std::move(writer).Take();
}

}  // namespace requestrouter::ipc
