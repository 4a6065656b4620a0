#include "daemon/faults/faults.h"

#include <algorithm>
#include <cctype>
#include <string_view>
#include <utility>

namespace requestrouter::faults {

using ipc::ErrorType;

namespace {

std::string WithoutTheWordSafety(std::string message) {
  static constexpr std::string_view kWord = "safety";
  const auto same = [](char a, char b) { return std::tolower(static_cast<unsigned char>(a)) == b; };
  for (auto at = message.begin();;) {
    at = std::search(at, message.end(), kWord.begin(), kWord.end(), same);
    if (at == message.end()) return message;
    const auto offset = at - message.begin();
    message.replace(static_cast<std::size_t>(offset), kWord.size(), "content-policy");
    at = message.begin() + offset;
  }
}

std::string ContentBlockedMessage(const std::string& provider_words) {
  std::string message = "the provider's safety filter refused the content";
  if (!provider_words.empty()) message += ": " + provider_words;
  return message;
}

policy::TransportResult ToPolicy(upstream::Transport transport) {
  switch (transport) {
    case upstream::Transport::kOk:
    case upstream::Transport::kRefusedLocally:
      return policy::TransportResult::kOk;
    case upstream::Transport::kNotSent:
      return policy::TransportResult::kNotSent;
    case upstream::Transport::kTimeout:
      return policy::TransportResult::kTimeout;
    case upstream::Transport::kUnreadable:
      return policy::TransportResult::kUnreadable;
    case upstream::Transport::kInterrupted:
    case upstream::Transport::kCancelled:
      break;
  }
  return policy::TransportResult::kInterrupted;
}

}  // namespace

policy::Evidence ToEvidence(const upstream::Outcome& outcome, std::int64_t wall_now_s) {
  policy::Evidence evidence;
  evidence.transport = ToPolicy(outcome.transport);
  evidence.status = outcome.status;
  evidence.headers = outcome.headers;
  evidence.wall_now_s = wall_now_s;
  evidence.message = outcome.error_message;
  if (outcome.error) {
    const upstream::ProviderError& error = *outcome.error;
    evidence.readable = error.readable;
    evidence.code = error.code;
    evidence.type = error.type;
    if (!error.message.empty()) evidence.message = error.message;
    evidence.reasons = error.reasons;
    evidence.quota_ids = error.quota_ids;
    evidence.retry_delay = error.retry_delay;
  }
  if (outcome.answer) {
    const upstream::Answer& answer = *outcome.answer;
    evidence.blocked = answer.blocked && answer.content.empty() && answer.tool_calls.empty();
  }
  return evidence;
}

policy::Fault FaultOf(const upstream::Outcome& outcome, std::int64_t wall_now_s) {
  if (outcome.transport != upstream::Transport::kRefusedLocally) {
    return policy::Classify(ToEvidence(outcome, wall_now_s));
  }
  policy::Fault fault;
  fault.kind = policy::FaultKind::kRequest;
  fault.reason = "not expressible";
  fault.source = "encoder";
  fault.message = outcome.error_message;
  return fault;
}

ErrorType TypeOf(policy::FaultKind kind) {
  switch (kind) {
    case policy::FaultKind::kRequest:
      return ErrorType::kUpstreamRejected;
    case policy::FaultKind::kContent:
      return ErrorType::kContentBlocked;
    case policy::FaultKind::kModel:
      return ErrorType::kNotFound;
    case policy::FaultKind::kKeyInvalid:
    case policy::FaultKind::kBilling:
      return ErrorType::kUpstreamAuth;
    case policy::FaultKind::kMinuteQuota:
    case policy::FaultKind::kDayQuota:
      return ErrorType::kAllKeysExhausted;
    case policy::FaultKind::kProvider:
    case policy::FaultKind::kNetwork:
      return ErrorType::kUpstreamUnavailable;
    case policy::FaultKind::kNone:
      break;
  }
  return ErrorType::kInternalError;
}

std::string MessageOf(ErrorType type, std::string words) {
  return type == ErrorType::kContentBlocked ? ContentBlockedMessage(words)
                                            : WithoutTheWordSafety(std::move(words));
}

}  // namespace requestrouter::faults
