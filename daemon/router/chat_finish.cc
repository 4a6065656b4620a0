#include <algorithm>
#include <cmath>
#include <utility>

#include "daemon/router/chat_service.h"
#include "daemon/router/errors.h"
#include "daemon/router/history.h"
#include "ipc/codec.h"

namespace requestrouter::router {
namespace {

using ipc::ErrorType;

// How often turns that could not be stored are tried again.
constexpr std::chrono::milliseconds kRewriteInterval{250};

// How often those who wait and asked for progress are told where they stand.
constexpr std::chrono::seconds kProgressInterval{1};

ipc::Error NewError(ErrorType type, std::string message) {
  return {type, std::move(message), std::nullopt, ipc::Value(), std::nullopt};
}

// To ask again is right for all but a stream of which the caller has had a part already.
ipc::Error StoppedError(const LiveRequest& live, const std::string& message) {
  if (live.deltas.empty()) return NewError(ErrorType::kShuttingDown, message);
  ipc::Error error = NewError(ErrorType::kUpstreamUnavailable, message);
  error.details = ipc::Value{{"interrupted", true}};
  return error;
}

}  // namespace

// ---- success

ipc::ChatReply ChatService::BuildReply(const LiveRequest& live,
                                       const upstream::Answer& answer) const {
  ipc::ChatReply reply;
  reply.content = answer.content;
  reply.model = live.grant->model;
  reply.model_requested = live.chat.model_preference;
  reply.provider = live.grant->provider;
  reply.key_id = live.grant->key_id;
  reply.tokens = answer.tokens;
  reply.cost_usd = catalog_->CostOf(reply.model, reply.tokens);
  reply.finish_reason = answer.finish_reason;
  reply.tool_calls = answer.tool_calls;
  reply.provider_state = answer.provider_state;
  reply.conversation_id = live.chat.conv_id;
  reply.attempts = live.attempts;
  reply.waited_ms = ElapsedMs(live.waited);
  reply.duration_ms = ElapsedMs(parts_.clock.Steady() - live.received);
  reply.fallback = live.grant->fallback;
  reply.persisted = live.stored();
  reply.warnings = live.warnings;
  if (!answer.tokens_known) {
    reply.warnings.emplace_back("the provider did not say how many tokens it used");
  }
  return reply;
}

storage::Turn ChatService::BuildTurn(const LiveRequest& live, const ipc::ChatReply& reply) const {
  storage::Turn turn;
  turn.uid = live.peer.uid;
  turn.conv_id = live.chat.conv_id;
  turn.system_prompt = live.new_system_prompt;
  turn.total_tokens = reply.tokens.total;
  turn.model = reply.model;
  turn.key_id = reply.key_id;
  turn.user_id = live.chat.user_id;
  turn.at = parts_.clock.Wall();
  const auto ttl = catalog_->config().settings.conversation_ttl;
  turn.expires_at = turn.at + std::chrono::milliseconds(ttl).count();
  for (const ipc::Message& message : live.chat.messages) {
    if (message.role != ipc::Role::kSystem) turn.messages.push_back(ToStored(message, turn.at));
  }
  ipc::Message answer = ipc::TextMessage(ipc::Role::kAssistant, reply.content);
  answer.tool_calls = reply.tool_calls;
  answer.provider_state = reply.provider_state;
  turn.messages.push_back(ToStored(answer, turn.at));
  turn.messages.back().tokens = reply.tokens.output;
  turn.messages.back().model = reply.model;
  turn.messages.back().key_id = reply.key_id;
  return turn;
}

storage::Usage ChatService::BuildUsage(const LiveRequest& live, const ipc::TokenUsage& tokens,
                                       bool failed) const {
  storage::Usage usage;
  usage.uid = live.peer.uid;
  usage.agent = live.chat.agent;
  usage.user_id = live.chat.user_id;
  if (live.grant) {
    usage.key_id = live.grant->key_id;
    usage.model = live.grant->model;
  }
  usage.at = parts_.clock.Wall();
  usage.requests = 1;
  usage.errors = failed ? 1 : 0;
  usage.input_tokens = tokens.input;
  usage.output_tokens = tokens.output;
  usage.cached_tokens = tokens.cached;
  const double cost = catalog_->CostOf(usage.model, tokens).value_or(0);
  usage.cost_nano_usd = std::llround(cost * 1e9);
  return usage;
}

storage::StoredResult ChatService::BuildResult(const LiveRequest& live, std::string payload) const {
  const auto ttl = catalog_->config().settings.result_ttl;
  return {live.peer.uid, live.id, live.digest, std::move(payload),
          parts_.clock.Wall() + std::chrono::milliseconds(ttl).count()};
}

void ChatService::Succeed(LiveRequest& live, const upstream::Outcome& outcome,
                          const storage::AttemptClosed& closed) {
  ipc::ChatReply reply = BuildReply(live, *outcome.answer);
  std::string payload = ipc::EncodeChatReply(live.id, reply);
  storage::Finish finish;
  finish.attempt = closed;
  finish.usage.push_back(BuildUsage(live, reply.tokens, false));
  Spend(finish.usage.back());
  finish.result = BuildResult(live, payload);
  if (!live.stored()) {
    Answer(live, std::move(payload), reply);
    return Settle(live, std::move(finish), storage::Durability::kProcess);
  }
  finish.turn = BuildTurn(live, reply);
  Commit(live, std::move(finish), storage::Durability::kFull,
         std::make_shared<const ipc::ChatReply>(std::move(reply)));
}

// `reply`: of a request that is answered once its end is stored.
void ChatService::Commit(LiveRequest& live, storage::Finish finish, storage::Durability durability,
                         std::shared_ptr<const ipc::ChatReply> reply) {
  live.stage = Stage::kCommitting;
  auto shared = std::make_shared<const storage::Finish>(std::move(finish));
  parts_.store.Submit(shared, durability,
                      Later<storage::Written>([this, ticket = live.ticket, shared,
                                               reply = std::move(reply)](const auto& written) {
                        OnCommitted(ticket, shared, reply.get(), written);
                      }));
}

void ChatService::OnCommitted(std::uint64_t ticket,
                              const std::shared_ptr<const storage::Finish>& finish,
                              const ipc::ChatReply* reply,
                              const storage::Result<storage::Written>& written) {
  LiveRequest* live = table_.Find(ticket);
  if (!live) return;
  std::string payload = finish->result ? finish->result->reply : std::string();
  ipc::ChatReply unsaved;
  if (!written && reply) {
    unsaved = *reply;
    unsaved.persisted = false;
    unsaved.warnings.push_back("the turn is not stored yet (" + written.error().message +
                               "); it will be as soon as storage works again");
    payload = ipc::EncodeChatReply(live->id, unsaved);
  }
  if (written) {
    NoteResult(*finish);
  } else if (finish->turn || finish->result || unwritten_.size() < kMostUnwritten) {
    unwritten_.push_back({finish, payload});
  } else {
    ++uncounted_;  // refused without an answer to keep: as many as anybody cares to send
  }
  if (!live->answered() && reply) Answer(*live, std::move(payload), written ? *reply : unsaved);
  Forget(*live);
}

// From now on the stored reply answers those who ask again.
void ChatService::NoteResult(const storage::Finish& finish) {
  if (!finish.result) return;
  results_.Add(finish.result->uid, finish.result->request_id, finish.result->body_digest,
               parts_.clock.Steady() + catalog_->config().settings.result_ttl);
}

const ChatService::Unwritten* ChatService::FindUnwritten(uid_t uid, const std::string& id) const {
  for (const Unwritten& one : unwritten_) {
    const auto& result = one.finish->result;
    if (result && result->uid == uid && result->request_id == id) return &one;
  }
  return nullptr;
}

// ---- failure

void ChatService::Fail(LiveRequest& live, const ipc::Error& error,
                       std::optional<storage::AttemptClosed> closed) {
  const bool from_attempt = closed.has_value();
  std::string payload = ipc::EncodeError(live.id, error);
  storage::Finish finish;
  finish.attempt = closed;
  finish.usage.push_back(BuildUsage(live, {}, true));
  const bool keep = from_attempt && !error.retryable.value_or(ipc::IsRetryable(error.type));
  if (keep) finish.result = BuildResult(live, payload);
  Note(live, "failed", error.message);
  Answer(live, std::move(payload), error);
  Settle(live, std::move(finish), storage::Durability::kProcess);
}

// The caller has gone, cancelled, or run out of time: answers now. What is at the provider is
// cancelled and settled when its outcome comes.
void ChatService::EndEarly(LiveRequest& live, const ipc::Error& error) {
  if (live.answered() || live.stage == Stage::kCommitting) return;
  if (live.stage != Stage::kInFlight) {
    parts_.dispatcher.Leave(live.ticket, parts_.clock.Steady());
    return Fail(live, error);
  }
  Note(live, "failed", error.message);
  Answer(live, ipc::EncodeError(live.id, error), error);
  storage::Finish finish;
  finish.usage.push_back(BuildUsage(live, {}, true));
  parts_.store.Submit(std::make_shared<const storage::Finish>(std::move(finish)),
                      storage::Durability::kProcess, [](auto) {});
  parts_.attempts.Cancel(live.attempt_id);
}

bool ChatService::Cancel(uid_t uid, const std::string& id) {
  LiveRequest* live = table_.FindById(uid, id);
  if (!live || live->answered() || live->stage == Stage::kCommitting) return false;
  EndEarly(*live, NewError(ErrorType::kCancelled, "cancelled by the caller"));
  return true;
}

void ChatService::CallerGone(pid_t pid) {
  caller_names_.Forget(pid);
  for (LiveRequest* live : table_.OfProcess(pid)) {
    std::erase_if(live->subscribers, [pid](const Subscriber& one) { return one.pid == pid; });
    if (!live->subscribers.empty()) {
      table_.HandOver(*live, live->subscribers.front().pid);
      continue;
    }
    if (live->stage == Stage::kInFlight && !live->chat.stream) continue;
    EndEarly(*live, NewError(ErrorType::kCancelled, "the caller's process ended"));
  }
}

// ---- the end of either

void ChatService::Answer(LiveRequest& live, std::string payload, const ipc::ChatReply& reply) {
  live.trace.state = "answered";
  Note(live, "answered");
  parts_.replies.Final(live, std::move(payload));
  parts_.observer.Ended(live, {&reply, nullptr, parts_.clock.Steady()});
}

void ChatService::Answer(LiveRequest& live, std::string payload, const ipc::Error& error) {
  live.trace.state = ipc::Name(error.type);
  parts_.replies.Final(live, std::move(payload));
  parts_.observer.Ended(live, {nullptr, &error, parts_.clock.Steady()});
}

// Stores the end of a request that is answered already, then forgets it.
void ChatService::Settle(LiveRequest& live, storage::Finish finish,
                         storage::Durability durability) {
  Commit(live, std::move(finish), durability, nullptr);
}

void ChatService::Forget(LiveRequest& live) {
  parts_.traces.Add(std::move(live.trace));
  paused_.erase(live.ticket);
  budgets_.Release(live.ticket);
  LiveRequest* next = live.stored() ? table_.LeaveLine(live) : nullptr;
  table_.Erase(live);
  // One that has ended early leaves the line by itself when its end is stored.
  if (next && next->stage == Stage::kHeldBack) BeginTurn(*next);
}

void ChatService::RetryUnwritten() {
  if (unwritten_.empty() || rewriting_ || parts_.clock.Steady() < rewrite_at_) return;
  rewriting_ = true;
  parts_.store.Submit(unwritten_.front().finish, storage::Durability::kFull,
                      Later<storage::Written>([this](auto written) {
                        rewriting_ = false;
                        if (written) {
                          NoteResult(*unwritten_.front().finish);
                          unwritten_.pop_front();
                        } else {
                          rewrite_at_ = parts_.clock.Steady() + kRewriteInterval;
                        }
                      }));
}

// ---- time

void ChatService::Tick() {
  const policy::Instant now = parts_.clock.Steady();
  for (LiveRequest* live : table_.TakeOverdue(now)) {
    EndEarly(*live, NewError(ErrorType::kDeadlineExceeded,
                             live->stage == Stage::kInFlight
                                 ? "the deadline passed while the provider was answering"
                                 : "the deadline passed while the request was waiting"));
  }
  Dispatch(now);
  for (const policy::Refusal& refusal : parts_.dispatcher.Expire(now)) {
    if (LiveRequest* live = table_.Find(refusal.ticket)) Fail(*live, ToError(refusal));
  }
  RetryUnwritten();
  ReportProgress(now);
}

void ChatService::ReportProgress(policy::Instant now) {
  const bool due = now >= progress_at_;
  if (due) progress_at_ = now + kProgressInterval;
  for (auto entry = watching_.begin(); entry != watching_.end();) {
    LiveRequest* live = table_.Find(entry->first);
    if (!live || live->stage != Stage::kWaiting) {
      entry = watching_.erase(entry);
      continue;
    }
    if (due || !entry->second) NoteWaiting(*live, ipc::ChatProgress::State::kWaiting);
    entry->second = true;
    ++entry;
  }
}

policy::Instant ChatService::NextDeadline() const {
  policy::Instant next =
      std::min(table_.NextDeadline(), parts_.dispatcher.NextDeadline(parts_.clock.Steady()));
  if (!unwritten_.empty() && !rewriting_) next = std::min(next, rewrite_at_);
  if (!watching_.empty()) next = std::min(next, progress_at_);
  return next;
}

// Ends the requests that `which` picks with `shutting_down`, begun streams as interrupted.
template <typename Which>
void ChatService::ShutDown(Which which, const std::string& message) {
  std::vector<std::uint64_t> tickets;
  table_.ForEach([&](const LiveRequest& live) {
    if (which(live)) tickets.push_back(live.ticket);
  });
  for (const std::uint64_t ticket : tickets) {
    if (LiveRequest* live = table_.Find(ticket)) EndEarly(*live, StoppedError(*live, message));
  }
}

void ChatService::Drain() {
  draining_ = true;
  ShutDown([](const LiveRequest& live) { return live.stage < Stage::kInFlight; },
           "routerd is stopping; connect again");
}

void ChatService::Abort() {
  ShutDown([](const LiveRequest&) { return true; },
           "routerd stopped before the answer came; send again");
}

// ---- what others ask

std::size_t ChatService::waiting_count() const {
  return table_.CountIn(Stage::kHeldBack) + table_.CountIn(Stage::kLoading) +
         table_.CountIn(Stage::kWaiting);
}

const Trace* ChatService::FindTrace(uid_t uid, const std::string& id) {
  if (const LiveRequest* live = table_.FindById(uid, id)) return &live->trace;
  return parts_.traces.Find(uid, id);
}

void ChatService::Note(LiveRequest& live, std::string event, std::string detail) {
  live.trace.timeline.push_back({parts_.clock.Wall(), std::move(event), std::move(detail)});
}

void ChatService::SendReplay(const ipc::Envelope& to, const std::string& payload) {
  parts_.replies.Send(to, AsReplayed(payload));
  parts_.observer.Replayed();
}

void ChatService::SendError(const ipc::Envelope& to, const std::string& id,
                            const ipc::Error& error) {
  parts_.replies.Send(to, ipc::EncodeError(id, error));
  parts_.observer.TurnedAway(error.type);
}

}  // namespace requestrouter::router
