#include <utility>

#include "daemon/router/chat_records.h"
#include "daemon/router/chat_service.h"
#include "ipc/codec.h"

// How requests end: their ends are stored, their answers leave.
namespace requestrouter::router {

// ---- success

void ChatService::Succeed(LiveRequest& live, const upstream::Outcome& outcome,
                          const storage::AttemptClosed& closed) {
  ipc::ChatReply reply = ReplyOf(live, *outcome.answer, *catalog_, parts_.clock.Steady());
  std::string payload = ipc::EncodeChatReply(live.id, reply);
  storage::Finish finish;
  finish.attempt = closed;
  finish.usage.push_back(UsageOf(live, reply.tokens, false, *catalog_, parts_.clock.Wall()));
  Spend(finish.usage.back());
  live.keeps_answer = true;
  finish.result = ResultOf(live, ++last_result_id_, payload, *catalog_, parts_.clock.Wall());
  if (!live.stored()) {
    Answer(live, std::move(payload), reply);
    return Settle(live, std::move(finish), storage::Durability::kProcess);
  }
  finish.turn = TurnOf(live, reply, *catalog_, parts_.clock.Wall());
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
  if (written) {
    NoteResult(*finish);
    if (reply) Answer(*live, finish->result->reply, *reply);
  } else {
    KeepUnwritten(*live, finish, reply, written.error());
  }
  if (reply) parts_.traces.Add(live->trace);
  Forget(*live);
}

void ChatService::KeepUnwritten(LiveRequest& live,
                                const std::shared_ptr<const storage::Finish>& finish,
                                const ipc::ChatReply* reply, const storage::Error& error) {
  if (!reply) {
    return unwritten_.Keep(finish, finish->result ? finish->result->reply : std::string());
  }
  ipc::ChatReply unsaved = *reply;
  unsaved.persisted = false;
  unsaved.warnings.push_back("the turn is not stored yet (" + error.message +
                             "); it will be as soon as storage works again");
  const std::string payload = ipc::EncodeChatReply(live.id, unsaved);
  unwritten_.Keep(finish, payload);
  Answer(live, payload, unsaved);
}

// From now on the stored reply answers those who ask again.
void ChatService::NoteResult(const storage::Finish& finish) {
  if (!finish.result) return;
  const storage::StoredResult& result = *finish.result;
  results_.Add(result.uid, result.request_id, result.body_digest, result.id,
               parts_.clock.Steady() + catalog_->config().settings.result_ttl);
}

// ---- failure

void ChatService::Fail(LiveRequest& live, const ipc::Error& error,
                       std::optional<storage::AttemptClosed> closed) {
  const bool from_attempt = closed.has_value();
  std::string payload = ipc::EncodeError(live.id, error);
  storage::Finish finish;
  finish.attempt = closed;
  finish.usage.push_back(UsageOf(live, {}, true, *catalog_, parts_.clock.Wall()));
  live.keeps_answer = from_attempt && !error.retryable.value_or(ipc::IsRetryable(error.type));
  if (live.keeps_answer) {
    finish.result = ResultOf(live, ++last_result_id_, payload, *catalog_, parts_.clock.Wall());
  }
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
  finish.usage.push_back(UsageOf(live, {}, true, *catalog_, parts_.clock.Wall()));
  unwritten_.Write(std::move(finish));
  parts_.attempts.Cancel(live.attempt_id);
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

// Stores the end of a request that is answered already, then forgets it. Many wait for that at a
// time: what they do not need any more is given back while it is still in the processor's cache.
void ChatService::Settle(LiveRequest& live, storage::Finish finish,
                         storage::Durability durability) {
  parts_.traces.Add(live.trace);
  live.trace = Trace();
  live.prompt.reset();
  Commit(live, std::move(finish), durability, nullptr);
}

void ChatService::Forget(LiveRequest& live) {
  paused_.erase(live.ticket);
  budgets_.Release(live.ticket);
  std::vector<Successor> successors = std::move(live.successors);
  LiveRequest* next = live.stored() ? table_.LeaveLine(live) : nullptr;
  table_.Erase(live);
  // One that has ended early leaves the line by itself when its end is stored.
  if (next && next->stage == Stage::kHeldBack) BeginTurn(*next);
  for (Successor& one : successors) Submit(one.from, one.peer, std::move(one.request));
}

}  // namespace requestrouter::router
