#include <array>
#include <chrono>
#include <string>

#include "daemon/faults/faults.h"
#include "daemon/policy/classifier.h"
#include "daemon/policy/spent_limit.h"
#include "daemon/upstream/dialect.h"
#include "tests/fuzz/input.h"

// A refused attempt, from the body and the headers to the verdict: whatever was sent there is one,
// nobody is made to wait longer than a day by it, and the texts stay small.

using namespace requestrouter;

namespace {

constexpr std::array kStatuses = {0, 200, 302, 400, 401, 402, 403, 404, 413, 429, 500, 503, 529};
constexpr std::array kHeaders = {
    "retry-after",
    "retry-after-ms",
    "x-ratelimit-remaining-requests",
    "x-ratelimit-reset-requests",
    "x-ratelimit-remaining-tokens",
    "x-ratelimit-reset-tokens",
    "anthropic-ratelimit-requests-remaining",
    "anthropic-ratelimit-requests-reset",
};
constexpr std::int64_t kWallNow = 1'700'000'000;

}  // namespace

// Which dialect, status, transport; up to three headers with their lengths; the body.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Choices choices(data, size);
  upstream::Outcome outcome;
  const auto kind = static_cast<upstream::ProviderKind>(choices.Byte() % 3);
  outcome.status = kStatuses[choices.Byte() % kStatuses.size()];
  outcome.transport = static_cast<upstream::Transport>(choices.Byte() % 5);
  for (std::size_t i = choices.Byte() % 4; i > 0; --i) {
    const char* name = kHeaders[choices.Byte() % kHeaders.size()];
    outcome.headers.emplace_back(name, std::string(choices.Take(choices.Byte() % 64)));
  }
  outcome.error = upstream::DialectOf(kind).DecodeError(choices.Rest());

  const policy::Evidence evidence = faults::ToEvidence(outcome, kWallNow);
  const policy::Fault fault = policy::Classify(evidence);
  static_cast<void>(policy::SpentLimits(evidence));
  static_cast<void>(policy::ReadRemaining(outcome.headers));
  if (outcome.status >= 300) {
    fuzz::Require(fault.kind != policy::FaultKind::kNone, "a refusal without a fault");
  }
  if (fault.kind != policy::FaultKind::kNone) {
    fuzz::Require(!fault.reason.empty() && fault.reason.size() < 256, "a reason of no length");
  }
  if (fault.retry_after) {
    fuzz::Require(*fault.retry_after >= policy::Duration::zero(), "a wait into the past");
    fuzz::Require(*fault.retry_after <= std::chrono::hours(24), "a wait of more than a day");
  }
  return 0;
}
