#include "daemon/policy/token_rule.h"

#include <algorithm>

namespace requestrouter::policy {
namespace {

std::int64_t CountTokens(const LimitSet& limits, std::int64_t input, const Demand& demand) {
  const std::int64_t output = ClampTokens(demand.output_tokens);
  switch (limits.counts) {
    case Counts::kInput:
      return input;
    case Counts::kInputAndOutput:
      return input + output;
    case Counts::kInputAndMaxOutput:
      break;
  }
  return input + std::max(output, ClampTokens(demand.max_output_tokens));
}

}  // namespace

std::int64_t ClampTokens(std::int64_t tokens) {
  return std::clamp<std::int64_t>(tokens, 0, 1'000'000'000'000);
}

const char* Name(LimitKind kind) {
  switch (kind) {
    case LimitKind::kRpm:
      return "rpm";
    case LimitKind::kTpm:
      return "tpm";
    case LimitKind::kItpm:
      return "itpm";
    case LimitKind::kOtpm:
      return "otpm";
    case LimitKind::kRpd:
      return "rpd";
    case LimitKind::kTpd:
      return "tpd";
    case LimitKind::kInFlight:
      break;
  }
  return "in_flight";
}

Amounts CountAmounts(const LimitSet& limits, const Demand& demand) {
  const std::int64_t cached = limits.cached_counts ? 0 : ClampTokens(demand.cached_tokens);
  const std::int64_t input = std::max<std::int64_t>(ClampTokens(demand.input_tokens) - cached, 0);
  const std::int64_t tokens = CountTokens(limits, input, demand);
  return {1, tokens, input, ClampTokens(demand.output_tokens), 1, tokens};
}

std::optional<Limit> MinuteLimit(const LimitSet& limits, LimitKind kind) {
  switch (kind) {
    case LimitKind::kRpm:
      return limits.rpm;
    case LimitKind::kTpm:
      return limits.tpm;
    case LimitKind::kItpm:
      return limits.itpm;
    case LimitKind::kOtpm:
      return limits.otpm;
    default:
      return std::nullopt;
  }
}

}  // namespace requestrouter::policy
