#include "golden_messages.h"

namespace requestrouter::ipc {
namespace {

Request Of(Body body) {
  Request request;
  request.id = kGoldenId;
  request.body = std::move(body);
  return request;
}

Request Minimal() {
  ChatRequest chat;
  chat.messages = {TextMessage(Role::kUser, "Hello")};
  return Of(chat);
}

Request EveryKey() {
  ChatRequest chat;
  chat.messages = {TextMessage(Role::kUser, "Plan it.")};
  chat.conv_id = "planner_0a1b2c3d";
  chat.system_prompt = "You plan.";
  chat.model_preference = "gemini-2.5-pro";
  chat.workload = Workload::kHeavy;
  chat.allow_fallback = false;
  chat.on_unknown = OnUnknown::kFail;
  chat.stream = true;
  chat.progress = true;
  chat.key_id = "gemini-flash-01";
  chat.priority = Priority::kInteractive;
  chat.max_wait_ms = 0;
  chat.expected_completion_tokens = 300;
  chat.max_output_tokens = 70'000;
  chat.temperature = 0.25;
  chat.top_p = 0.5;
  chat.stop = {"END", "\n\n"};
  chat.seed = -7;
  chat.response_format = {
      ResponseFormat::Kind::kJsonSchema, "plan", {{"type", "object"}, {"required", {"steps"}}}};
  chat.tools = {{"search", "Looks things up", {{"type", "object"}}}, {"stop", "", nullptr}};
  chat.tool_choice = {ToolChoice::Mode::kNamed, "search"};
  chat.reasoning = Reasoning{Effort::kHigh, std::nullopt};
  chat.provider_options = {{"gemini", {{"safetySettings", Value::array()}}}};
  chat.user_id = "alice";
  chat.agent = "planner";
  chat.metadata = {{"ticket", 4711}, {"urgent", false}, {"ratio", 1.0}};
  Request request = Of(chat);
  request.deadline_ms = 600'000;
  return request;
}

Request ToolLoop() {
  Message question = TextMessage(Role::kUser, "What is on it?");
  question.parts.emplace_back(ImagePart{"image/png", "\x89PNG", ""});
  question.parts.emplace_back(ImagePart{"", "", "https://example.com/x.png"});
  Message call;
  call.role = Role::kAssistant;
  call.tool_calls = {{"call-1", "look", R"({"zoom":2})", {{"thoughtSignature", "c2ln"}}}};
  call.provider_state = {{"signature", "s"}};
  Message result = TextMessage(Role::kTool, "a cat");
  result.tool_call_id = "call-1";
  ChatRequest chat;
  chat.messages = {TextMessage(Role::kSystem, "Be brief."), question, call, result};
  chat.tools = {{"look", "", {{"type", "object"}}}};
  chat.tool_choice.mode = ToolChoice::Mode::kRequired;
  chat.response_format.kind = ResponseFormat::Kind::kJsonObject;
  chat.reasoning = Reasoning{std::nullopt, 1024};
  return Of(chat);
}

}  // namespace

std::vector<GoldenRequest> GoldenRequests() {
  using Group = UsageGroup;
  return {
      {"request_chat", "chat: the shortest one, with a prompt", Minimal()},
      {"request_chat_every_key", "chat: every key but messages", EveryKey()},
      {"request_chat_messages", "chat: messages with images, a tool call and its result",
       ToolLoop()},
      {"request_ping", "ping", Of(PingRequest{})},
      {"request_cancel", "cancel", Of(CancelRequest{"req-0000"})},
      {"request_models", "models", Of(ModelsRequest{})},
      {"request_health", "health", Of(HealthRequest{})},
      {"request_conversation_get", "conversation.get: the last five messages, of another's",
       Of(ConversationGetRequest{"planner_0a1b2c3d", 5, 1000})},
      {"request_conversation_list", "conversation.list: the second page",
       Of(ConversationListRequest{"planner_", "alice", 50, "planner_0a1b2c3d", 1000})},
      {"request_conversation_truncate", "conversation.truncate",
       Of(ConversationTruncateRequest{"planner_0a1b2c3d", 4})},
      {"request_conversation_delete", "conversation.delete",
       Of(ConversationDeleteRequest{"planner_0a1b2c3d"})},
      {"request_conversation_export", "conversation.export",
       Of(ConversationExportRequest{"planner_0a1b2c3d"})},
      {"request_keys_list", "keys.list", Of(KeysListRequest{})},
      {"request_keys_reset", "keys.reset: one key and its counters",
       Of(KeysResetRequest{"gemini-flash-01", false, true})},
      {"request_keys_reset_all", "keys.reset: all keys", Of(KeysResetRequest{"", true, false})},
      {"request_keys_disable", "keys.disable", Of(KeysDisableRequest{"gemini-flash-01"})},
      {"request_keys_enable", "keys.enable", Of(KeysEnableRequest{"gemini-flash-01"})},
      {"request_reload", "reload", Of(ReloadRequest{})},
      {"request_usage", "usage: of a day, by model and hour",
       Of(UsageRequest{1'769'817'600'000, 1'769'904'000'000, {Group::kModel, Group::kHour}})},
      {"request_explain", "explain", Of(ExplainRequest{"req-0000", 1000})},
      {"request_queue", "queue", Of(QueueRequest{})},
      {"request_queue_recent", "queue: with the last ten that are over", Of(QueueRequest{10})},
      {"request_metrics", "metrics", Of(MetricsRequest{})},
      {"request_backup", "backup", Of(BackupRequest{"/var/backups/router.db"})},
      {"request_restore", "restore", Of(RestoreRequest{"/var/backups/router.db"})},
      {"request_check", "check", Of(CheckRequest{})},
  };
}

}  // namespace requestrouter::ipc
