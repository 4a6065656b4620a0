#include <algorithm>
#include <iterator>
#include <utility>

#include "daemon/router/chat_service.h"
#include "daemon/router/history.h"
#include "daemon/router/suitability.h"

// What is sent upstream of a request, and what policy is asked for it.
namespace requestrouter::router {
namespace {

// What an image is taken to cost before the provider has said it. Gemini counts 258 tokens a tile
// (https://ai.google.dev/gemini-api/docs/tokens), Anthropic about width*height/750, at most 1,600.
constexpr std::int64_t kTokensPerImage = 1'600;

policy::Tier ToTier(ipc::Workload workload) {
  switch (workload) {
    case ipc::Workload::kLight:
      return policy::Tier::kLight;
    case ipc::Workload::kMedium:
      return policy::Tier::kMedium;
    case ipc::Workload::kHeavy:
      return policy::Tier::kHeavy;
    case ipc::Workload::kAuto:
      break;
  }
  return policy::Tier::kAuto;
}

policy::PriorityClass ToPriorityClass(ipc::Priority priority) {
  switch (priority) {
    case ipc::Priority::kInteractive:
      return policy::PriorityClass::kInteractive;
    case ipc::Priority::kBatch:
      return policy::PriorityClass::kBatch;
    case ipc::Priority::kNormal:
      break;
  }
  return policy::PriorityClass::kNormal;
}

}  // namespace

ipc::Result<void> ChatService::BuildPrompt(LiveRequest& live, storage::Conversation& conversation) {
  std::vector<ipc::Message> history;
  for (const storage::StoredMessage& stored : conversation.messages) {
    ipc::Result<ipc::Message> message = FromStored(stored);
    if (!message) return tl::unexpected(message.error());
    history.push_back(std::move(*message));
  }
  const bool answers_tools =
      !live.chat.messages.empty() && live.chat.messages.front().role == ipc::Role::kTool;
  DropCutTurn(history, answers_tools);
  if (const auto checked = CheckToolCallIds(history, live.chat.messages); !checked) {
    return tl::unexpected(checked.error());
  }
  const config::Settings& settings = catalog_->config().settings;
  std::int64_t budget = settings.history_tokens;
  if (const auto context = catalog_->ContextFor(live.chat.model_preference);
      context && budget == 0) {
    budget = std::max<std::int64_t>(1, *context - live.chat.max_output_tokens);
  }
  if (budget > 0) {
    std::int64_t room = budget * kBytesPerToken;
    for (const ipc::Message& message : live.chat.messages) room -= BytesOf(message);
    const std::size_t dropped = TrimHistory(history, room, answers_tools);
    if (dropped > 0) {
      live.warnings.push_back("the oldest " + std::to_string(dropped) +
                              " messages of the conversation were left out to fit the model");
    }
  }
  auto prompt = std::make_shared<upstream::Prompt>();
  live.new_system_prompt = live.chat.system_prompt;
  const auto& system =
      live.chat.system_prompt ? live.chat.system_prompt : conversation.info.system_prompt;
  if (system && !system->empty()) {
    prompt->messages.push_back(ipc::TextMessage(ipc::Role::kSystem, *system));
  }
  std::move(history.begin(), history.end(), std::back_inserter(prompt->messages));
  std::vector<ipc::Message> own = std::exchange(live.chat.messages, {});
  prompt->options = live.chat;
  if (live.stored()) live.chat.messages = own;
  std::move(own.begin(), own.end(), std::back_inserter(prompt->messages));
  for (const ipc::Message& message : prompt->messages) live.prompt_bytes += BytesOf(message);
  for (const ipc::Tool& tool : live.chat.tools) {
    live.prompt_bytes += static_cast<std::int64_t>(tool.name.size() + tool.description.size() +
                                                   tool.parameters.dump().size());
  }
  live.prompt = std::move(prompt);
  return {};
}

ipc::Result<void> ChatService::BuildAsk(LiveRequest& live,
                                        const storage::Conversation& conversation) {
  const ipc::ChatRequest& chat = live.chat;
  if (auto allowed = CheckKey(live); !allowed) return allowed;
  const bool fallback = chat.key_id.empty() &&
                        chat.allow_fallback.value_or(catalog_->config().settings.enable_fallback);
  ipc::Result<std::vector<std::string>> suitable =
      SuitableModels(*catalog_, *live.prompt, fallback);
  if (!suitable) return tl::unexpected(suitable.error());
  if (auto kept = KeepToAllowed(live, fallback, *suitable); !kept) return kept;
  policy::Ask& ask = live.ask;
  ask.ticket = live.ticket;
  ask.uid = live.peer.uid;
  ask.pid = live.peer.pid;
  ask.agent = chat.agent;
  ask.user_id = chat.user_id;
  ask.model = chat.model_preference;
  ask.tier = ToTier(chat.workload);
  ask.allow_fallback = fallback;
  ask.key_id = chat.key_id;
  std::int64_t images = 0;
  for (const ipc::Message& message : live.prompt->messages) images += ImagesOf(message);
  ask.demand.input_tokens =
      parts_.dispatcher.EstimateTokens(chat.model_preference, live.prompt_bytes) +
      images * kTokensPerImage;
  ask.demand.output_tokens = std::min(chat.expected_completion_tokens, chat.max_output_tokens);
  ask.demand.max_output_tokens = chat.max_output_tokens;
  ask.priority = ToPriorityClass(chat.priority);
  ask.deadline = live.deadline;
  ask.wait_until = live.deadline;
  if (chat.max_wait_ms) {
    ask.wait_until = std::min(live.deadline,
                              parts_.clock.Steady() + std::chrono::milliseconds(*chat.max_wait_ms));
  }
  ask.preferred_key = conversation.info.last_key_id;
  ask.capable_models = std::move(*suitable);
  return HoldBudget(live);
}

}  // namespace requestrouter::router
