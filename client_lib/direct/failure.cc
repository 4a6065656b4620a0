#include "client_lib/direct/failure.h"

#include <algorithm>
#include <string>

#include "client_lib/src/errors.h"

namespace requestrouter::direct {
namespace {

using upstream::Outcome;
using upstream::Transport;

bool RefusesTheKey(const Outcome& outcome) {
  const auto& reasons = outcome.error->reasons;
  // Gemini reports an invalid key as 400.
  return outcome.status == 401 || outcome.status == 402 || outcome.status == 403 ||
         std::find(reasons.begin(), reasons.end(), "API_KEY_INVALID") != reasons.end();
}

ErrorType TypeOfStatus(const Outcome& outcome) {
  if (RefusesTheKey(outcome)) return ErrorType::kUpstreamAuth;
  if (outcome.status == 429) return ErrorType::kAllKeysExhausted;
  const bool request_fault = outcome.status >= 400 && outcome.status < 500;
  return request_fault ? ErrorType::kUpstreamRejected : ErrorType::kUpstreamUnavailable;
}

Error FromProvider(const Outcome& outcome) {
  Error error = client::MakeError(TypeOfStatus(outcome), "HTTP " + std::to_string(outcome.status) +
                                                             ": " + outcome.error->message);
  error.retry_after = outcome.error->retry_delay;
  if (outcome.streamed) error.details_json = R"({"interrupted":true})";
  return error;
}

ErrorType TypeOf(Transport transport) {
  switch (transport) {
    case Transport::kTimeout:
      return ErrorType::kDeadlineExceeded;
    case Transport::kCancelled:
      return ErrorType::kCancelled;
    case Transport::kRefusedLocally:
      return ErrorType::kInvalidRequest;
    default:
      return ErrorType::kUpstreamUnavailable;
  }
}

Error FromTransport(const Outcome& outcome) {
  Error error = client::MakeError(TypeOf(outcome.transport), outcome.error_message);
  if (outcome.streamed) error.details_json = R"({"interrupted":true})";
  if (outcome.answer) error.partial_content = outcome.answer->content;
  return error;
}

}  // namespace

std::optional<Error> FailureOf(const Outcome& outcome) {
  if (outcome.error) return FromProvider(outcome);
  if (outcome.transport != Transport::kOk || !outcome.answer) return FromTransport(outcome);
  if (outcome.answer->blocked && outcome.answer->content.empty()) {
    return client::MakeError(ErrorType::kContentBlocked,
                             "the provider's safety filter refused the content");
  }
  return std::nullopt;
}

}  // namespace requestrouter::direct
