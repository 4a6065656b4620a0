#include <algorithm>
#include <utility>

#include "daemon/faults/faults.h"
#include "daemon/policy/spent_limit.h"
#include "daemon/router/chat_records.h"
#include "daemon/router/chat_service.h"
#include "daemon/router/errors.h"
#include "daemon/router/key_states.h"
#include "daemon/secrets/redactor.h"
#include "storage/crash_point.h"

// What the end of an attempt means: to policy, to the records, to its request.
namespace requestrouter::router {
namespace {

using ipc::ErrorType;

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

// The caller's error for an attempt that is not tried again.
ipc::Error ErrorOf(const policy::Refusal& refusal, const upstream::Outcome& outcome) {
  ipc::Error error = ToError(refusal, outcome.streamed);
  if (error.type == ErrorType::kContentBlocked) {
    error.details = ipc::Value{{"ratings", RatingsOf(outcome)}};
  }
  return error;
}

}  // namespace

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
  if (report.conclusive) {
    const std::int64_t now_s = parts_.clock.Wall() / 1000;
    report.fault = faults::FaultOf(outcome, now_s);
    report.spent = policy::SpentLimits(faults::ToEvidence(outcome, now_s));
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
  finish.usage.push_back(
      UsageOf(live, outcome.answer->tokens, false, *catalog_, parts_.clock.Wall()));
  finish.usage.back().requests = 0;
  Spend(finish.usage.back());
  unwritten_.Write(std::move(finish));
}

storage::AttemptClosed ChatService::CloseAttempt(LiveRequest& live, const policy::Report& report) {
  storage::AttemptClosed closed;
  closed.attempt_id = live.attempt_id;
  closed.counted = report.sent;
  SetCounted(parts_.dispatcher.AmountsOf(live.ticket, report.used), closed);
  table_.ClearAttempt(live);
  return closed;
}

// The end of an attempt whose request goes on, or never had an answer to store with it.
void ChatService::WriteEnd(const storage::AttemptClosed& closed) {
  storage::Finish finish;
  finish.attempt = closed;
  unwritten_.Write(std::move(finish));
}

void ChatService::OnOutcome(std::int64_t attempt_id, const upstream::Outcome& outcome) {
  LiveRequest* live = table_.FindByAttempt(attempt_id);
  if (!live) return;
  if (outcome.answer) storage::CrashPoint("answered");
  const AttemptEnd end = Account(*live, outcome);
  if (live->answered()) return SettleAnswered(*live, end.closed);
  if (end.refusal) return Fail(*live, ErrorOf(*end.refusal, outcome), end.closed);
  if (parts_.dispatcher.IsWaiting(live->ticket)) return WaitAgain(*live, end);
  if (end.is_answer) return Succeed(*live, outcome, end.closed);
  Fail(*live, ipc::MakeError(ErrorType::kUpstreamUnavailable, "the attempt was cut off"),
       end.closed);
}

// What an attempt's end means to everybody but its request.
ChatService::AttemptEnd ChatService::Account(LiveRequest& live, const upstream::Outcome& outcome) {
  const policy::Instant now = parts_.clock.Steady();
  const policy::Report report = ReportOf(live, outcome);
  const policy::FaultKind fault = report.fault.kind;
  LearnFrom(live, outcome);
  Trace::Attempt& traced = live.trace.attempts.back();
  traced.outcome = !report.conclusive                  ? "cancelled"
                   : fault == policy::FaultKind::kNone ? "ok"
                                                       : report.fault.reason;
  traced.status = outcome.status;
  traced.duration_ms = ElapsedMs(now - live.granted_at);
  if (WasBegun(outcome)) live.at_provider += outcome.ended_at - outcome.began_at;
  parts_.observer.AttemptEnded(live, outcome, report);
  AttemptEnd end;
  end.closed = CloseAttempt(live, report);
  end.refusal = parts_.dispatcher.Finished(live.ticket, report, now);
  end.reason = report.fault.reason;
  end.is_answer =
      !live.answered() && report.conclusive && outcome.answer && fault == policy::FaultKind::kNone;
  parts_.keys.Record(fault);
  if (fault == policy::FaultKind::kKeyInvalid) key_refused_(live.grant->key_id);
  if (!end.is_answer) RecordLost(live, outcome);
  return end;
}

// It ended early; all that was left was to settle.
void ChatService::SettleAnswered(LiveRequest& live, const storage::AttemptClosed& closed) {
  storage::Finish finish;
  finish.attempt = closed;
  Settle(live, std::move(finish), storage::Durability::kProcess);
}

void ChatService::WaitAgain(LiveRequest& live, const AttemptEnd& end) {
  WriteEnd(end.closed);
  live.stage = Stage::kWaiting;
  live.waiting_since = parts_.clock.Steady();
  Note(live, "retrying", end.reason);
  if (live.chat.progress) watching_[live.ticket] = true;
  NoteWaiting(live, ipc::ChatProgress::State::kRetrying);
}

}  // namespace requestrouter::router
