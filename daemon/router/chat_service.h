#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>

#include "daemon/policy/budget.h"
#include "daemon/policy/dispatcher.h"
#include "daemon/router/caller_names.h"
#include "daemon/router/catalog.h"
#include "daemon/router/clock.h"
#include "daemon/router/key_recorder.h"
#include "daemon/router/later.h"
#include "daemon/router/live_request.h"
#include "daemon/router/mailbox.h"
#include "daemon/router/observer.h"
#include "daemon/router/ports.h"
#include "daemon/router/replies.h"
#include "daemon/router/request_table.h"
#include "daemon/router/result_index.h"
#include "daemon/router/trace.h"
#include "daemon/router/unwritten_ends.h"
#include "ipc/operations.h"
#include "storage/store.h"

namespace requestrouter::router {

// The life of chat requests, from arrival to stored end: asks policy what to do and does it.
// Router thread only; what storage and upstream report comes in through the mailbox.
//
//   arrive ── id known? ── join or replay
//      │
//   wait for the conversation's earlier turns ── load its history
//      │
//   dispatcher queue ── grant ── log and send ── outcome ── retry (queue again)
//      │                                          │
//   refuse                           store the turn ── answer
class ChatService {
 public:
  // Everything that is used outlives the service.
  struct Parts {
    const Clock& clock;
    Mailbox& mailbox;
    storage::Store& store;
    AttemptRunner& attempts;
    policy::Dispatcher& dispatcher;
    KeyRecorder& keys;
    Replies& replies;
    TraceLog& traces;
    Users& users;
    CallerNames& caller_names;
    Observer& observer;
  };

  ChatService(Parts parts, std::shared_ptr<const Catalog> catalog);

  // What the last daemon left: before the first Submit. `done` is called on the router thread once
  // today's spending is known, or with the reason why it is not: then budgets begin at nothing.
  void Restore(const storage::Recovered& recovered,
               std::function<void(const storage::Result<void>&)> done);

  // Told of every key that its provider refuses as invalid.
  void OnKeyRefused(std::function<void(const std::string& key_id)> told) {
    key_refused_ = std::move(told);
  }

  // New requests use this from now on.
  void SetCatalog(std::shared_ptr<const Catalog> catalog) { catalog_ = std::move(catalog); }

  void Submit(const ipc::Envelope& from, const ipc::Peer& peer, ipc::Request request);

  // False: the uid has no such request under way.
  bool Cancel(uid_t uid, const std::string& id);

  // The caller's process has ended: what waits is forgotten, streams are cancelled; an answer that
  // is on its way is still stored, for a successor that asks with the same id. What another process
  // has joined goes on for that one.
  void CallerGone(pid_t pid);

  // Reports of the attempts under way; never from within a call of AttemptRunner.
  void OnDelta(std::int64_t attempt_id, const ipc::ChatDelta& delta);
  void OnOutcome(std::int64_t attempt_id, const upstream::Outcome& outcome);

  // A peer has read everything that waited for it: streams may go on.
  void OnDrained();

  // Grants, deadlines, and turns that could not be stored when they should have been.
  void Tick();
  policy::Instant NextDeadline() const;

  // From now on new requests are refused, and so are those that wait: their senders ask the next
  // daemon. What is at a provider goes on.
  void Drain();
  // Ends everything that is still under way with `shutting_down`.
  void Abort();
  // Whether turns can be stored: not while earlier ones still wait for it.
  bool storage_ready() const { return unwritten_.empty() && parts_.store.healthy(); }
  // Ends of requests and attempts that storage did not take yet.
  std::size_t unwritten_count() const { return unwritten_.count(); }
  // Those that are missing from the usage, because storage did not work for too long.
  std::size_t uncounted() const { return unwritten_.uncounted(); }
  bool idle() const { return table_.size() == 0 && unwritten_.empty(); }

  const RequestTable& table() const { return table_; }
  const LiveRequest* Find(std::uint64_t ticket) { return table_.Find(ticket); }
  std::size_t waiting_count() const;
  std::size_t in_flight_count() const { return table_.CountIn(Stage::kInFlight); }

  // The trace of a request under way or over, if it is known.
  std::optional<Trace> FindTrace(uid_t uid, const std::string& id);
  // Of the requests that are over.
  const TraceLog& traces() const { return parts_.traces; }

 private:
  // An attempt that the last daemon sent and did not see the end of.
  struct Orphan {
    std::string digest;
    policy::Instant forget_at;
  };

  static constexpr std::int64_t kDayMs = 86'400'000;

  // ---- arrival (chat_arrival.cc)
  bool AnswerKnownId(const ipc::Envelope& from, const ipc::Peer& peer, ipc::Request& request);
  void Replay(const ipc::Envelope& from, const ipc::Peer& peer, ipc::Request request,
              std::int64_t result_id);
  void Admit(const ipc::Envelope& from, const ipc::Peer& peer, ipc::Request request);
  ipc::Result<void> CheckOrphan(LiveRequest& live);
  void NameCaller(LiveRequest& live);
  void BeginTurn(LiveRequest& live);
  void LookUpUser(LiveRequest& live);
  void LoadHistory(LiveRequest& live);
  void OnHistory(std::uint64_t ticket, storage::Result<storage::Conversation> loaded);
  void Enqueue(LiveRequest& live, storage::Conversation conversation);
  void Note(LiveRequest& live, std::string_view event, std::string detail = "");
  void SendReplay(const ipc::Envelope& to, const std::string& payload);
  void SendError(const ipc::Envelope& to, const std::string& id, const ipc::Error& error);

  // ---- what is sent upstream (chat_prompt.cc)
  ipc::Result<void> BuildPrompt(LiveRequest& live, storage::Conversation& conversation);
  ipc::Result<void> BuildAsk(LiveRequest& live, const storage::Conversation& conversation);

  // ---- what callers may use (chat_callers.cc)
  ipc::Result<void> CheckKey(const LiveRequest& live) const;
  ipc::Result<void> KeepToAllowed(const LiveRequest& live, bool fallback,
                                  std::vector<std::string>& suitable) const;
  ipc::Result<void> HoldBudget(const LiveRequest& live);
  std::optional<double> EstimateCost(const LiveRequest& live) const;
  void RestoreBudgets(std::function<void(const storage::Result<void>&)> done);
  std::int64_t Today() const { return parts_.clock.Wall() / kDayMs; }
  void Spend(const storage::Usage& usage);

  // ---- attempts (chat_attempts.cc)
  void Dispatch(policy::Instant now);
  void StartAttempt(const policy::Grant& grant);
  storage::Result<void> LogAttempt(LiveRequest& live);
  void SendAttempt(LiveRequest& live);
  void AbandonGrant(LiveRequest& live);
  void NoteWaiting(LiveRequest& live, ipc::ChatProgress::State state);

  // ---- what their ends mean (chat_outcome.cc)
  // What has been done about an attempt that ended, for its request to go by.
  struct AttemptEnd {
    storage::AttemptClosed closed;
    std::optional<policy::Refusal> refusal;
    std::string reason;  // of its fault
    bool is_answer = false;
  };
  AttemptEnd Account(LiveRequest& live, const upstream::Outcome& outcome);
  void SettleAnswered(LiveRequest& live, const storage::AttemptClosed& closed);
  void WaitAgain(LiveRequest& live, const AttemptEnd& end);
  void WriteEnd(const storage::AttemptClosed& closed);
  policy::Report ReportOf(const LiveRequest& live, const upstream::Outcome& outcome) const;
  void LearnFrom(const LiveRequest& live, const upstream::Outcome& outcome);
  void RecordLost(const LiveRequest& live, const upstream::Outcome& outcome);
  storage::AttemptClosed CloseAttempt(LiveRequest& live, const policy::Report& report);

  // ---- the end (chat_finish.cc)
  void Succeed(LiveRequest& live, const upstream::Outcome& outcome,
               const storage::AttemptClosed& closed);
  // `closed`: the end of the attempt that failed, where there was one.
  void Fail(LiveRequest& live, const ipc::Error& error,
            std::optional<storage::AttemptClosed> closed = std::nullopt);
  void EndEarly(LiveRequest& live, const ipc::Error& error);
  void Settle(LiveRequest& live, storage::Finish finish, storage::Durability durability);
  void Commit(LiveRequest& live, storage::Finish finish, storage::Durability durability,
              std::shared_ptr<const ipc::ChatReply> reply);
  void OnCommitted(std::uint64_t ticket, const std::shared_ptr<const storage::Finish>& finish,
                   const ipc::ChatReply* reply, const storage::Result<storage::Written>& written);
  void KeepUnwritten(LiveRequest& live, const std::shared_ptr<const storage::Finish>& finish,
                     const ipc::ChatReply* reply, const storage::Error& error);
  void Answer(LiveRequest& live, std::string payload, const ipc::ChatReply& reply);
  void Answer(LiveRequest& live, std::string payload, const ipc::Error& error);
  void Forget(LiveRequest& live);
  void NoteResult(const storage::Finish& finish);

  // ---- what the clock brings (chat_time.cc)
  void ReportProgress(policy::Instant now);

  template <typename Which>
  void ShutDown(Which which, const std::string& message);

  template <typename T, typename Handle>
  storage::Store::Done<T> Later(Handle handle) {
    return router::Later<T>(parts_.mailbox, std::move(handle));
  }

  Parts parts_;
  std::function<void(const std::string&)> key_refused_ = [](const std::string&) {};
  std::shared_ptr<const Catalog> catalog_;
  RequestTable table_;
  ResultIndex results_;
  UnwrittenEnds unwritten_;
  policy::Budgets budgets_;
  std::unordered_map<std::string, Orphan> orphans_;  // by RequestKey
  std::set<std::uint64_t> paused_;
  std::map<std::uint64_t, bool> watching_;  // waits and wants progress: whether it was told once
  policy::Instant progress_at_{};
  std::int64_t last_attempt_id_ = 0;
  std::int64_t last_result_id_ = 0;
  std::set<std::pair<uid_t, gid_t>> unnamed_;  // whose names are being looked up
  bool draining_ = false;
};

}  // namespace requestrouter::router
