#include "daemon/router/chat_records.h"

#include <cmath>
#include <utility>

#include "daemon/router/clock.h"
#include "daemon/router/history.h"

namespace requestrouter::router {

ipc::ChatReply ReplyOf(const LiveRequest& live, const upstream::Answer& answer,
                       const Catalog& catalog, policy::Instant now) {
  ipc::ChatReply reply;
  reply.content = answer.content;
  reply.model = live.grant->model;
  reply.model_requested = live.chat.model_preference;
  reply.provider = live.grant->provider;
  reply.key_id = live.grant->key_id;
  reply.tokens = answer.tokens;
  reply.cost_usd = catalog.CostOf(reply.model, reply.tokens);
  reply.finish_reason = answer.finish_reason;
  reply.tool_calls = answer.tool_calls;
  reply.provider_state = answer.provider_state;
  reply.conversation_id = live.chat.conv_id;
  reply.attempts = live.attempts;
  reply.waited_ms = ElapsedMs(live.waited);
  reply.duration_ms = ElapsedMs(now - live.received);
  reply.fallback = live.grant->fallback;
  reply.persisted = live.stored();
  reply.warnings = live.warnings;
  if (!answer.tokens_known) {
    reply.warnings.emplace_back("the provider did not say how many tokens it used");
  }
  return reply;
}

storage::Turn TurnOf(const LiveRequest& live, const ipc::ChatReply& reply, const Catalog& catalog,
                     storage::Millis at) {
  storage::Turn turn;
  turn.uid = live.peer.uid;
  turn.conv_id = live.chat.conv_id;
  turn.system_prompt = live.new_system_prompt;
  turn.total_tokens = reply.tokens.total;
  turn.model = reply.model;
  turn.key_id = reply.key_id;
  turn.user_id = live.chat.user_id;
  turn.at = at;
  const auto ttl = catalog.config().settings.conversation_ttl;
  turn.expires_at = turn.at + std::chrono::milliseconds(ttl).count();
  for (const ipc::Message& message : live.chat.messages) {
    if (message.role != ipc::Role::kSystem) turn.messages.push_back(ToStored(message, at));
  }
  ipc::Message answer = ipc::TextMessage(ipc::Role::kAssistant, reply.content);
  answer.tool_calls = reply.tool_calls;
  answer.provider_state = reply.provider_state;
  turn.messages.push_back(ToStored(answer, at));
  turn.messages.back().tokens = reply.tokens.output;
  turn.messages.back().model = reply.model;
  turn.messages.back().key_id = reply.key_id;
  return turn;
}

storage::Usage UsageOf(const LiveRequest& live, const ipc::TokenUsage& tokens, bool failed,
                       const Catalog& catalog, storage::Millis at) {
  storage::Usage usage;
  usage.uid = live.peer.uid;
  usage.agent = live.chat.agent;
  usage.user_id = live.chat.user_id;
  if (live.grant) {
    usage.key_id = live.grant->key_id;
    usage.model = live.grant->model;
  }
  usage.at = at;
  usage.requests = 1;
  usage.errors = failed ? 1 : 0;
  usage.input_tokens = tokens.input;
  usage.output_tokens = tokens.output;
  usage.cached_tokens = tokens.cached;
  const double cost = catalog.CostOf(usage.model, tokens).value_or(0);
  usage.cost_nano_usd = std::llround(cost * 1e9);
  return usage;
}

storage::StoredResult ResultOf(const LiveRequest& live, std::int64_t id, std::string payload,
                               const Catalog& catalog, storage::Millis at) {
  const auto ttl = catalog.config().settings.result_ttl;
  return {id,
          live.peer.uid,
          live.id,
          live.chat.conv_id,
          live.digest,
          std::move(payload),
          at + std::chrono::milliseconds(ttl).count()};
}

}  // namespace requestrouter::router
