#include "daemon/policy/health_rules.h"

#include <algorithm>

namespace requestrouter::policy {
namespace {

using Event = Health::Event;
using Kind = Health::Event::Kind;

Duration Bounded(Duration delay) {
  return std::clamp<Duration>(delay, Duration::zero(), kLongestCooldown);
}

Event OfKind(Kind kind, const Fault& fault) {
  return {.kind = kind, .reason = fault.reason, .source = fault.source};
}

}  // namespace

Event QuotaEvent(const Report& report, Instant day_end) {
  if (!report.conclusive) return {};
  const Fault& fault = report.fault;
  if (fault.kind == FaultKind::kNone) return OfKind(Kind::kSucceeded, fault);
  if (fault.kind == FaultKind::kMinuteQuota) {
    Event event = OfKind(Kind::kCool, fault);
    event.base = Bounded(fault.retry_after.value_or(kMinuteCooldown));
    event.cap = kMinuteCooldownCap;
    return event;
  }
  if (fault.kind == FaultKind::kDayQuota) {
    Event event = OfKind(day_end == kNever ? Kind::kCool : Kind::kCoolUntil, fault);
    event.until = day_end;
    event.base = Bounded(fault.retry_after.value_or(kDayCooldown));
    event.cap = kDayCooldownCap;
    return event;
  }
  return {};
}

Kind ProviderVerdict(const Report& report) {
  if (!report.conclusive) return Kind::kNoVerdict;
  switch (report.fault.kind) {
    case FaultKind::kNone:
    case FaultKind::kMinuteQuota:
    case FaultKind::kDayQuota:
      return Kind::kSucceeded;  // an answer: the key, the network and the provider work
    case FaultKind::kProvider:
    case FaultKind::kNetwork:
      return Kind::kFailed;
    case FaultKind::kKeyInvalid:
    case FaultKind::kBilling:
    case FaultKind::kRequest:
    case FaultKind::kContent:
    case FaultKind::kModel:
      return Kind::kNoVerdict;
  }
  return Kind::kNoVerdict;
}

Event KeyEvent(const Report& report, bool provider_to_blame) {
  const Fault& fault = report.fault;
  const Kind verdict = ProviderVerdict(report);
  if (verdict == Kind::kSucceeded) return OfKind(verdict, fault);
  if (verdict == Kind::kFailed && !provider_to_blame) {
    Event event = OfKind(verdict, fault);
    event.base = kFailureCooldown;
    event.cap = kFailureCooldownCap;
    return event;
  }
  const bool refused = fault.kind == FaultKind::kKeyInvalid || fault.kind == FaultKind::kBilling;
  if (report.conclusive && refused) return OfKind(Kind::kDisable, fault);
  return {};
}

}  // namespace requestrouter::policy
