#include <utility>

#include "daemon/router/chat_service.h"
#include "daemon/router/errors.h"
#include "daemon/router/key_states.h"
#include "storage/crash_point.h"

// How attempts are begun, and what they bring before they end.
namespace requestrouter::router {
namespace {

using ipc::ErrorType;

// How much later than the request's deadline the transfer gives up by itself: the router
// ends the request at the deadline, this is only the backstop.
constexpr std::chrono::milliseconds kTimeoutMargin{1'000};

}  // namespace

void ChatService::Dispatch(policy::Instant now) {
  while (const auto grant = parts_.dispatcher.Next(now)) StartAttempt(*grant);
}

void ChatService::StartAttempt(const policy::Grant& grant) {
  LiveRequest* live = table_.Find(grant.ticket);
  if (!live) return;  // it left between being queued and being granted
  live->grant = grant;
  live->granted_at = parts_.clock.Steady();
  live->waited += grant.waited;
  live->attempts = grant.attempt;
  live->stage = Stage::kInFlight;
  live->trace.considered.Clear();
  for (const policy::Considered& c : parts_.dispatcher.Consider(live->ask, live->granted_at)) {
    std::optional<storage::Millis> until;
    if (c.until) until = WallAt(parts_.clock, *c.until);
    live->trace.considered.Add({c.key_id, c.model, c.verdict, until});
  }
  live->trace.attempts.push_back(
      {grant.attempt, grant.key_id, grant.model, "in_flight", 0, ElapsedMs(grant.waited), 0});
  Note(*live, "granted", grant.key_id + " " + grant.model);
  storage::CrashPoint("reserved");
  const storage::Result<void> logged = LogAttempt(*live);
  if (!logged && live->stored()) {
    // A turn that cannot be made durable must not spend quota.
    AbandonGrant(*live);
    return Fail(*live, ToError(logged.error()));
  }
  storage::CrashPoint("logged");
  SendAttempt(*live);
}

storage::Result<void> ChatService::LogAttempt(LiveRequest& live) {
  const policy::Grant& grant = *live.grant;
  storage::AttemptOpened opened;
  opened.attempt_id = ++last_attempt_id_;
  opened.uid = live.peer.uid;
  opened.request_id = live.id;
  opened.body_digest = live.digest;
  opened.conv_id = live.chat.conv_id;
  opened.key_id = grant.key_id;
  opened.quota_group = grant.quota_group;
  opened.model = grant.model;
  opened.at = parts_.clock.Wall();
  SetCounted(parts_.dispatcher.AmountsOf(live.ticket, std::nullopt), opened);
  table_.SetAttempt(live, opened.attempt_id);
  return parts_.store.OpenAttempt(opened);
}

// The grant will not be used: nothing was sent, the reservation is refunded.
void ChatService::AbandonGrant(LiveRequest& live) {
  policy::Report report;
  report.sent = false;
  report.conclusive = false;
  report.may_retry = false;
  const storage::AttemptClosed closed = CloseAttempt(live, report);
  parts_.dispatcher.Finished(live.ticket, report, parts_.clock.Steady());
  WriteEnd(closed);
}

void ChatService::SendAttempt(LiveRequest& live) {
  const std::shared_ptr<const secrets::Secret> secret = catalog_->SecretOf(live.grant->key_id);
  upstream::Attempt attempt;
  attempt.id = live.attempt_id;
  attempt.provider = catalog_->ProviderOf(live.grant->key_id);
  attempt.model = live.grant->model;
  attempt.prompt = live.prompt;
  attempt.stream = live.chat.stream;
  attempt.secret = secret->Reveal();
  attempt.timeout =
      std::chrono::duration_cast<std::chrono::milliseconds>(live.deadline - parts_.clock.Steady()) +
      kTimeoutMargin;
  Note(live, "sent", live.grant->key_id);
  ipc::ChatProgress progress;
  progress.state = ipc::ChatProgress::State::kSent;
  progress.attempt = live.attempts;
  parts_.replies.Progress(live, progress);
  parts_.attempts.Send(std::move(attempt));
  storage::CrashPoint("sent");
}

void ChatService::OnDelta(std::int64_t attempt_id, const ipc::ChatDelta& delta) {
  LiveRequest* live = table_.FindByAttempt(attempt_id);
  if (!live || live->answered()) return;
  live->deltas.push_back(delta);
  parts_.replies.Delta(*live, delta);
  if (live->subscribers.empty()) {
    return EndEarly(*live, ipc::MakeError(ErrorType::kCancelled, "the caller left"));
  }
  if (!live->paused && parts_.replies.IsSlow(*live)) {
    live->paused = true;
    paused_.insert(live->ticket);
    parts_.attempts.Pause(attempt_id);
  }
}

void ChatService::OnDrained() {
  for (auto ticket = paused_.begin(); ticket != paused_.end();) {
    LiveRequest* live = table_.Find(*ticket);
    if (live && parts_.replies.IsSlow(*live)) {
      ++ticket;
      continue;
    }
    if (live) {
      live->paused = false;
      parts_.attempts.Resume(live->attempt_id);
    }
    ticket = paused_.erase(ticket);
  }
}

void ChatService::NoteWaiting(LiveRequest& live, ipc::ChatProgress::State state) {
  if (!live.chat.progress) return;
  ipc::ChatProgress progress;
  progress.state = state;
  if (state == ipc::ChatProgress::State::kRetrying) progress.attempt = live.attempts + 1;
  if (const auto standing = parts_.dispatcher.StandingOf(live.ticket, parts_.clock.Steady())) {
    progress.position = static_cast<std::int64_t>(standing->position);
    if (standing->eta) progress.eta_ms = WaitMs(*standing->eta);
  }
  parts_.replies.Progress(live, progress);
}

}  // namespace requestrouter::router
