#include <algorithm>
#include <utility>

#include "daemon/faults/faults.h"
#include "daemon/policy/spent_limit.h"
#include "daemon/router/chat_service.h"
#include "daemon/router/errors.h"
#include "daemon/secrets/redactor.h"
#include "storage/crash_point.h"

namespace requestrouter::router {
namespace {

using ipc::ErrorType;

// How much later than the request's deadline the transfer gives up by itself: the router
// ends the request at the deadline, this is only the backstop.
constexpr std::chrono::milliseconds kTimeoutMargin{1'000};

// A provider's error when the prompt cannot be expressed to it at all.
policy::Fault RefusedLocally(const upstream::Outcome& outcome) {
  policy::Fault fault;
  fault.kind = policy::FaultKind::kRequest;
  fault.reason = "not expressible";
  fault.source = "encoder";
  fault.message = outcome.error_message;
  return fault;
}

policy::Demand ActualUse(const ipc::TokenUsage& tokens) {
  policy::Demand used;
  used.input_tokens = tokens.input;
  used.output_tokens = tokens.output;
  used.cached_tokens = tokens.cached;
  return used;
}

// What the safety filter said of the content, as the provider put it; empty where it said nothing.
ipc::Value RatingsOf(const upstream::Outcome& outcome) {
  const bool any = outcome.answer && !outcome.answer->safety_ratings.is_null();
  if (!any) return ipc::Value::array();
  using OnError = ipc::Value::error_handler_t;
  const std::string text = outcome.answer->safety_ratings.dump(-1, ' ', false, OnError::replace);
  ipc::Value ratings = ipc::Value::parse(secrets::ProcessRedactor().Redact(text), nullptr, false);
  return ratings.is_discarded() ? ipc::Value::array() : ratings;
}

bool WasSent(const upstream::Outcome& outcome) {
  return outcome.sent_at.time_since_epoch().count() != 0;
}

bool WasBegun(const upstream::Outcome& outcome) {
  return outcome.began_at.time_since_epoch().count() != 0;
}

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
  live->trace.considered.clear();
  for (const policy::Considered& c : parts_.dispatcher.Consider(live->ask, live->granted_at)) {
    std::optional<storage::Millis> until;
    if (c.until) until = WallAt(parts_.clock, *c.until);
    live->trace.considered.push_back({c.key_id, c.model, c.verdict, until});
  }
  live->trace.attempts.push_back(
      {grant.attempt, grant.key_id, grant.model, "in_flight", 0, ElapsedMs(grant.waited), 0});
  Note(*live, "granted", grant.key_id + " " + grant.model);
  storage::CrashPoint("reserved");
  const storage::Result<void> journalled = Journal(*live);
  if (!journalled && live->stored()) {
    // A turn that cannot be made durable must not spend quota.
    AbandonGrant(*live);
    return Fail(*live, ToError(journalled.error()));
  }
  storage::CrashPoint("journalled");
  SendAttempt(*live);
}

storage::Result<void> ChatService::Journal(LiveRequest& live) {
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
  opened.input_tokens = grant.reserved.input_tokens;
  opened.output_tokens = grant.reserved.output_tokens;
  table_.SetAttempt(live, opened.attempt_id);
  return parts_.store.OpenAttempt(opened);
}

// The grant will not be used: nothing was sent, the reservation is refunded.
void ChatService::AbandonGrant(LiveRequest& live) {
  policy::Report report;
  report.sent = false;
  report.conclusive = false;
  report.may_retry = false;
  parts_.dispatcher.Finished(live.ticket, report, parts_.clock.Steady());
  parts_.store.Submit(CloseAttempt(live, report), storage::Durability::kProcess, [](auto) {});
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
    return EndEarly(*live, {ErrorType::kCancelled, "the caller left", std::nullopt, ipc::Value(),
                            std::nullopt});
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

policy::Report ChatService::ReportOf(const LiveRequest& live,
                                     const upstream::Outcome& outcome) const {
  policy::Report report;
  report.sent = WasSent(outcome);
  if (report.sent) report.sent_at = outcome.sent_at;
  report.may_retry = !outcome.streamed && !live.answered();
  report.conclusive = outcome.transport != upstream::Transport::kCancelled;
  report.remaining = policy::ReadRemaining(outcome.headers);
  if (outcome.answer && outcome.answer->tokens_known) {
    report.used = ActualUse(outcome.answer->tokens);
    if (outcome.transport != upstream::Transport::kOk) {  // cut off: counted to here at the least
      report.used->output_tokens =
          std::max(report.used->output_tokens, live.grant->reserved.output_tokens);
    }
  }
  if (outcome.transport == upstream::Transport::kRefusedLocally) {
    report.fault = RefusedLocally(outcome);
  } else if (report.conclusive) {
    const policy::Evidence evidence = faults::ToEvidence(outcome, parts_.clock.Wall() / 1000);
    report.fault = policy::Classify(evidence);
    report.spent = policy::SpentLimits(evidence);
  }
  // Operators see both, and a provider may say aloud which key it was given.
  for (std::string* said : {&report.fault.message, &report.fault.reason}) {
    if (!said->empty()) *said = secrets::ProcessRedactor().Redact(*said);
  }
  return report;
}

void ChatService::LearnFrom(const LiveRequest& live, const upstream::Outcome& outcome) {
  if (!outcome.answer || !outcome.answer->tokens_known || live.prompt_bytes == 0) return;
  parts_.dispatcher.Learn(live.grant->model, live.prompt_bytes, outcome.answer->tokens.input);
}

// The provider bills attempts whose answer nobody gets, too: as far as it had said what they cost.
void ChatService::RecordLost(const LiveRequest& live, const upstream::Outcome& outcome) {
  if (!outcome.answer || outcome.answer->tokens == ipc::TokenUsage()) return;
  storage::Finish finish;
  finish.usage.push_back(BuildUsage(live, outcome.answer->tokens, false));
  finish.usage.back().requests = 0;
  Spend(finish.usage.back());
  parts_.store.Submit(std::make_shared<const storage::Finish>(std::move(finish)),
                      storage::Durability::kProcess, [](auto) {});
}

storage::AttemptClosed ChatService::CloseAttempt(LiveRequest& live, const policy::Report& report) {
  storage::AttemptClosed closed;
  closed.attempt_id = live.attempt_id;
  closed.counted = report.sent;
  const policy::Demand& used = report.used.value_or(live.grant->reserved);
  closed.input_tokens = used.input_tokens;
  closed.output_tokens = used.output_tokens;
  table_.ClearAttempt(live);
  return closed;
}

void ChatService::OnOutcome(std::int64_t attempt_id, const upstream::Outcome& outcome) {
  LiveRequest* live = table_.FindByAttempt(attempt_id);
  if (!live) return;
  if (outcome.answer) storage::CrashPoint("answered");
  const policy::Instant now = parts_.clock.Steady();
  const policy::Report report = ReportOf(*live, outcome);
  LearnFrom(*live, outcome);
  Trace::Attempt& traced = live->trace.attempts.back();
  traced.outcome = !report.conclusive                              ? "cancelled"
                   : report.fault.kind == policy::FaultKind::kNone ? "ok"
                                                                   : report.fault.reason;
  traced.status = outcome.status;
  traced.duration_ms = ElapsedMs(now - live->granted_at);
  if (WasBegun(outcome)) live->at_provider += outcome.ended_at - outcome.began_at;
  parts_.observer.AttemptEnded(*live, outcome, report);
  const storage::AttemptClosed closed = CloseAttempt(*live, report);
  const std::optional<policy::Refusal> refusal =
      parts_.dispatcher.Finished(live->ticket, report, now);
  parts_.keys.Record(report.fault.kind);
  if (report.fault.kind == policy::FaultKind::kKeyInvalid) key_refused_(live->grant->key_id);
  const bool is_answer = !live->answered() && report.conclusive && outcome.answer &&
                         report.fault.kind == policy::FaultKind::kNone;
  if (!is_answer) RecordLost(*live, outcome);

  if (live->answered()) {  // it ended early; all that was left was to settle
    storage::Finish finish;
    finish.attempt = closed;
    return Settle(*live, std::move(finish), storage::Durability::kProcess);
  }
  if (refusal) {
    ipc::Error error = ToError(*refusal);
    if (error.type == ErrorType::kContentBlocked) {
      error.details = ipc::Value{{"ratings", RatingsOf(outcome)}};
    }
    if (outcome.streamed) {
      error.type = ErrorType::kUpstreamUnavailable;
      error.details = ipc::Value{{"interrupted", true}};
    }
    return Fail(*live, error, closed);
  }
  if (parts_.dispatcher.IsWaiting(live->ticket)) {
    parts_.store.Submit(closed, storage::Durability::kProcess, [](auto) {});
    live->stage = Stage::kWaiting;
    live->waiting_since = now;
    Note(*live, "retrying", report.fault.reason);
    if (live->chat.progress) watching_[live->ticket] = true;
    return NoteWaiting(*live, ipc::ChatProgress::State::kRetrying);
  }
  if (!is_answer) {
    return Fail(*live,
                {ErrorType::kUpstreamUnavailable, "the attempt was cut off", std::nullopt,
                 ipc::Value(), std::nullopt},
                closed);
  }
  Succeed(*live, outcome, closed);
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
