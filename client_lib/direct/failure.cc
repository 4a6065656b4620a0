#include "client_lib/direct/failure.h"

#include <string>

#include "client_lib/src/errors.h"
#include "daemon/faults/faults.h"

namespace requestrouter::direct {
namespace {

using upstream::Outcome;
using upstream::Transport;

Error FromWire(ipc::ErrorType type, const std::string& words,
               std::optional<policy::Duration> retry_after = std::nullopt) {
  ipc::Error error = ipc::MakeError(type, faults::MessageOf(type, words));
  if (retry_after) {
    error.retry_after_ms = std::chrono::ceil<std::chrono::milliseconds>(*retry_after).count();
  }
  return client::FromWire(error);
}

// A stream that has begun cannot be had again.
Error Interrupted(Error error, const Outcome& outcome) {
  if (!outcome.streamed) return error;
  error.details_json = R"({"interrupted":true})";
  if (outcome.answer) error.partial_content = outcome.answer->content;
  return error;
}

}  // namespace

std::optional<Error> FailureOf(const Outcome& outcome, std::int64_t wall_now_s) {
  using ipc::ErrorType;
  switch (outcome.transport) {
    case Transport::kTimeout:
      return Interrupted(FromWire(ErrorType::kDeadlineExceeded, outcome.error_message), outcome);
    case Transport::kCancelled:
      return Interrupted(FromWire(ErrorType::kCancelled, outcome.error_message), outcome);
    default:
      break;
  }
  const policy::Fault fault = faults::FaultOf(outcome, wall_now_s);
  if (fault.kind == policy::FaultKind::kNone && outcome.answer) return std::nullopt;
  const ErrorType type =
      outcome.streamed ? ErrorType::kUpstreamUnavailable : faults::TypeOf(fault.kind);
  return Interrupted(FromWire(type, fault.message, fault.retry_after), outcome);
}

}  // namespace requestrouter::direct
