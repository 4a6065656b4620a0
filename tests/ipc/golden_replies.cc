#include "golden_messages.h"

#include <cstdint>

namespace requestrouter::ipc {
namespace {

constexpr const char* kThen = "2026-01-31T12:00:00.000Z";

ChatReply ShortAnswer() {
  ChatReply reply;
  reply.content = "Hi!";
  reply.model = "gemini-2.5-flash";
  reply.provider = "gemini";
  reply.key_id = "gemini-flash-01";
  reply.tokens = {4, 2, 6, 0, 0};
  reply.attempts = 1;
  reply.duration_ms = 412;
  return reply;
}

ChatReply LongAnswer() {
  ChatReply reply = ShortAnswer();
  reply.content = "";
  reply.model_requested = "gemini-2.5-pro";
  reply.tokens = {1'200, 340, 1'540, 1'000, 128};
  reply.cost_usd = 0.00125;
  reply.finish_reason = FinishReason::kToolCalls;
  reply.tool_calls = {{"call-1", "look", R"({"zoom":2})", {{"thoughtSignature", "c2ln"}}},
                      {"call-2", "stop", "{}", nullptr}};
  reply.provider_state = {{"signature", "s"}};
  reply.conversation_id = "planner_0a1b2c3d";
  reply.attempts = 2;
  reply.waited_ms = 70'000;
  reply.fallback = true;
  reply.persisted = true;
  reply.replayed = true;
  reply.warnings = {"the outcome of an earlier attempt is unknown"};
  return reply;
}

ChatPiece CallDelta() {
  ChatDelta delta;
  delta.text = "Let me look.";
  delta.reasoning = "A picture.";
  delta.tool_call = ToolCallPiece{0, "call-1", "look", R"({"zoom")"};
  return {1, delta};
}

ChatPiece TextDelta() {
  ChatDelta delta;
  delta.text = "Hi";
  return {0, delta};
}

GoldenReply Body(std::string name, std::string comment, Value body, bool final = true) {
  return {std::move(name), std::move(comment), Reply{kGoldenId, final, std::move(body)}};
}

GoldenReply Failure(ErrorType type, std::string message,
                    std::optional<std::int64_t> retry_after_ms = std::nullopt,
                    Value details = nullptr) {
  const std::string name(Name(type));
  return {"error_" + name, "the error " + name,
          Reply{kGoldenId, true,
                Error{type, std::move(message), retry_after_ms, std::move(details), std::nullopt}}};
}

void AddChat(std::vector<GoldenReply>& replies) {
  replies.push_back({"reply_chat", "chat: the answer to a one-shot request", ShortAnswer()});
  replies.push_back({"reply_chat_every_key", "chat: an answer with every key", LongAnswer()});
  replies.push_back({"delta_text", "a streamed answer's first piece", TextDelta()});
  replies.push_back(
      {"delta_tool_call", "a piece of a tool call, with text and reasoning", CallDelta()});
  replies.push_back({"progress_waiting", "a request that waits",
                     ChatPiece{0, ChatProgress{ChatProgress::State::kWaiting, 3, 1'500, {}}}});
  replies.push_back({"progress_sent", "a request that was sent upstream",
                     ChatPiece{1, ChatProgress{ChatProgress::State::kSent, {}, {}, 1}}});
  replies.push_back({"progress_retrying", "a request that is tried again",
                     ChatPiece{2, ChatProgress{ChatProgress::State::kRetrying, {}, 500, 2}}});
}

void AddState(std::vector<GoldenReply>& replies) {
  replies.push_back(Body("reply_ping", "ping",
                         {{"version", "0.1.0"}, {"protocol", {1}}, {"uptime_ms", 86'400'000}}));
  replies.push_back(Body("reply_cancel", "cancel", {{"cancelled", true}}));
  replies.push_back(Body("reply_models", "models",
                         {{"models",
                           {{{"model", "gemini-2.5-flash"},
                             {"provider", "gemini"},
                             {"keys", 2},
                             {"workload", "light"},
                             {"available", true},
                             {"capabilities", {"tools", "images"}}}}}}));
  replies.push_back(
      Body("reply_health", "health",
           {{"healthy", true},
            {"version", "0.1.0"},
            {"uptime_ms", 1'000},
            {"timestamp", kThen},
            {"key_manager",
             {{"healthy", true}, {"total_keys", 3}, {"active_keys", 3}, {"keys_in_cooldown", 1}}},
            {"conversation_store", true},
            {"storage", {{"healthy", true}, {"engine", "sqlite"}}},
            {"queue", {{"waiting", 0}, {"in_flight", 2}}}}));
  replies.push_back(Body("reply_queue", "queue",
                         {{"waiting",
                           {{{"id", "req-0002"},
                             {"caller", "1000:4242"},
                             {"agent", "coder"},
                             {"model", "gemini-2.5-pro"},
                             {"priority", "normal"},
                             {"position", 1},
                             {"eta_ms", 2'500},
                             {"waited_ms", 300}}}},
                          {"in_flight", Value::array()}}));
  replies.push_back(Body("reply_queue_recent", "queue: with what is over",
                         {{"waiting", Value::array()},
                          {"in_flight", Value::array()},
                          {"recent",
                           {{{"id", "req-0001"},
                             {"caller", "1000:4242"},
                             {"state", "answered"},
                             {"ended_at", "2026-01-31T12:00:00.000Z"},
                             {"total_ms", 712},
                             {"attempts", 1},
                             {"key_id", "gemini-flash-01"},
                             {"model", "gemini-2.5-flash"},
                             {"waited_ms", 300},
                             {"duration_ms", 412}}}}}));
  replies.push_back(Body("reply_metrics", "metrics", {{"text", "routerd_requests_total 7\n"}}));
}

void AddConversations(std::vector<GoldenReply>& replies) {
  replies.push_back(
      Body("reply_conversation_get", "conversation.get",
           {{"conv_id", "planner_0a1b2c3d"},
            {"system_prompt", "You plan."},
            {"messages",
             {{{"role", "user"}, {"content", "Plan it."}, {"timestamp", kThen}},
              {{"role", "assistant"},
               {"content", "Step one."},
               {"timestamp", kThen},
               {"tokens", 3},
               {"metadata", {{"model", "gemini-2.5-pro"}, {"key_id", "gemini-pro-01"}}}}}},
            {"metadata",
             {{"created_at", kThen},
              {"updated_at", kThen},
              {"expires_at", "2026-02-01T12:00:00.000Z"},
              {"message_count", 2},
              {"total_tokens", 12},
              {"last_model", "gemini-2.5-pro"}}}}));
  replies.push_back(Body("reply_conversation_list", "conversation.list, with a next page",
                         {{"conversations",
                           {{{"conv_id", "planner_0a1b2c3d"},
                             {"updated_at", kThen},
                             {"message_count", 2},
                             {"total_tokens", 12}}}},
                          {"next", "planner_0a1b2c3d"}}));
  replies.push_back(Body("reply_conversation_truncate", "conversation.truncate",
                         {{"removed", 6}, {"message_count", 4}}));
  replies.push_back(Body("reply_conversation_delete", "conversation.delete", {{"deleted", true}}));
  replies.push_back(Body("reply_conversation_export_line", "conversation.export: a line",
                         {{"line", R"({"conv_id":"planner_0a1b2c3d"})"}}, false));
  replies.push_back(
      Body("reply_conversation_export", "conversation.export: the end", {{"lines", 1}}));
}

void AddKeys(std::vector<GoldenReply>& replies) {
  replies.push_back(
      Body("reply_keys_list", "keys.list: a key that cools",
           {{"keys",
             {{{"key_id", "gemini-flash-01"},
               {"provider", "gemini"},
               {"models", {"gemini-2.5-flash"}},
               {"quota_group", "gemini-flash-01"},
               {"active", true},
               {"state", "cooling"},
               {"cooldown",
                {{"until", kThen},
                 {"remaining_ms", 17'000},
                 {"reason", "minute_quota"},
                 {"source", "retry_info"}}},
               {"usage",
                {{"gemini-2.5-flash",
                  {{"rpm", {{"used", 10}, {"limit", 10}}},
                   {"tpm", {{"used", 4'000}, {"limit", 250'000}}},
                   {"rpd", {{"used", 12}, {"limit", 1'500}, {"resets_at", kThen}}}}}}},
               {"in_flight", 0},
               {"last_error", "429"}}}}}));
  replies.push_back(Body("reply_keys_reset", "keys.reset", {{"reset", {"gemini-flash-01"}}}));
  replies.push_back(Body("reply_keys_disable", "keys.disable",
                         {{"key_id", "gemini-flash-01"}, {"state", "disabled"}}));
  replies.push_back(Body("reply_keys_enable", "keys.enable",
                         {{"key_id", "gemini-flash-01"}, {"state", "ready"}}));
  replies.push_back(
      Body("reply_reload", "reload",
           {{"changed", {"keys: gemini-flash-03 added"}}, {"warnings", Value::array()}}));
}

void AddReports(std::vector<GoldenReply>& replies) {
  replies.push_back(Body("reply_usage", "usage by model",
                         {{"rows",
                           {{{"model", "gemini-2.5-flash"},
                             {"requests", 7},
                             {"errors", 1},
                             {"input_tokens", 70'000},
                             {"output_tokens", 900},
                             {"cached_tokens", 0},
                             {"cost_usd", 0.5}}}}}));
  replies.push_back(Body("reply_explain", "explain",
                         {{"id", "req-0000"},
                          {"caller", "1000:4242"},
                          {"state", "done"},
                          {"timeline", {{{"at", kThen}, {"event", "received"}}}},
                          {"attempts",
                           {{{"n", 1},
                             {"key_id", "gemini-flash-01"},
                             {"model", "gemini-2.5-flash"},
                             {"outcome", "ok"},
                             {"status", 200},
                             {"waited_ms", 0},
                             {"duration_ms", 412}}}},
                          {"considered",
                           {{{"key_id", "gemini-flash-02"},
                             {"model", "gemini-2.5-flash"},
                             {"verdict", "cooling"},
                             {"until", kThen}}}}}));
  replies.push_back(Body("reply_backup", "backup", {{"bytes", 1'048'576}, {"duration_ms", 90}}));
  replies.push_back(Body("reply_restore", "restore",
                         {{"conversations", 12}, {"messages", 240}, {"duration_ms", 35}}));
  replies.push_back(Body(
      "reply_check", "check",
      {{"problems", Value::array({"messages are missing in planner_1"})}, {"duration_ms", 35}}));
}

void AddErrors(std::vector<GoldenReply>& replies) {
  using Type = ErrorType;
  const std::vector<GoldenReply> errors = {
      Failure(Type::kInvalidRequest, "body.temperature: must be a number, is a str"),
      Failure(Type::kUnsupportedVersion, "v: version 2 is not supported; 1 is", {},
              {{"supported", {1}}}),
      Failure(Type::kUnknownOp, "op: there is no operation \"pong\""),
      Failure(Type::kPayloadTooLarge, "the payload is too large", {}, {{"limit", 16'777'216}}),
      Failure(Type::kPermissionDenied, "keys.reset is for administrators"),
      Failure(Type::kNotFound, "no such conversation"),
      Failure(Type::kRequestIdConflict, "the id was used with another body"),
      Failure(Type::kRateLimited, "the user's limit is reached", 6'000),
      Failure(Type::kAllKeysExhausted, "no key has room before the deadline", 61'250),
      Failure(Type::kDeadlineExceeded, "the deadline passed while waiting"),
      Failure(Type::kCancelled, "cancelled by the caller"),
      Failure(Type::kContentBlocked, "refused by the provider's safety filter", {},
              {{"ratings", {{{"category", "HARM_CATEGORY_HARASSMENT"}, {"blocked", true}}}}}),
      Failure(Type::kUpstreamRejected, "the provider refused the request: 400", {},
              {{"replayed", true}}),
      Failure(Type::kUpstreamAuth, "no key was accepted"),
      Failure(Type::kUpstreamUnavailable, "the provider answered 503", 2'000,
              {{"interrupted", true}}),
      Failure(Type::kStorageUnavailable, "the turn cannot be stored: disk full"),
      Failure(Type::kOverloaded, "the queue is full"),
      Failure(Type::kShuttingDown, "the daemon is stopping"),
      Failure(Type::kInternalError, "a defect; see the log"),
  };
  replies.insert(replies.end(), errors.begin(), errors.end());
  Error unknown{Type::kUpstreamUnavailable,
                "the outcome is unknown",
                std::nullopt,
                {{"outcome", "unknown"}},
                false};
  replies.push_back({"error_upstream_unavailable_unknown",
                     "upstream_unavailable for a caller that chose on_unknown: fail",
                     Reply{kGoldenId, true, unknown}});
  Error unreadable{Type::kInvalidRequest, "the payload is not one whole MessagePack value",
                   std::nullopt, nullptr, std::nullopt};
  replies.push_back({"error_without_id", "the answer to a payload whose id could not be read",
                     Reply{"", true, unreadable}});
}

struct Encoder {
  std::string operator()(const ChatReply& reply) const { return EncodeChatReply(kGoldenId, reply); }
  std::string operator()(const Reply& reply) const {
    const auto* error = std::get_if<Error>(&reply.outcome);
    return error ? EncodeError(reply.id, *error) : EncodeReply(reply);
  }
  std::string operator()(const ChatPiece& chat) const {
    const auto* delta = std::get_if<ChatDelta>(&chat.piece);
    return delta ? EncodeDelta(kGoldenId, chat.seq, *delta)
                 : EncodeProgress(kGoldenId, chat.seq, std::get<ChatProgress>(chat.piece));
  }
};

}  // namespace

std::vector<GoldenReply> GoldenReplies() {
  std::vector<GoldenReply> replies;
  AddChat(replies);
  AddState(replies);
  AddConversations(replies);
  AddKeys(replies);
  AddReports(replies);
  AddErrors(replies);
  return replies;
}

std::string Encode(const GoldenReply& golden) { return std::visit(Encoder(), golden.reply); }

}  // namespace requestrouter::ipc
