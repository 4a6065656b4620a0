#include "daemon/policy/quota.h"

#include <algorithm>

// How much of the limits is used, and until when.
namespace requestrouter::policy {
namespace {

double Left(std::int64_t used, std::int64_t limit) {
  if (limit <= 0) return 0;
  return std::max(0.0, static_cast<double>(limit - used) / static_cast<double>(limit));
}

}  // namespace

double Quota::Headroom(Instant now) const {
  double least = 1;
  for (const auto& counted : minutes_) {
    if (counted) least = std::min(least, Left(counted->window.Used(now), counted->window.limit()));
  }
  for (const auto& counted : days_) {
    if (counted) {
      least = std::min(least, Left(counted->counter.Used(now), counted->counter.limit()));
    }
  }
  if (limits_.max_in_flight) least = std::min(least, Left(in_flight_, *limits_.max_in_flight));
  return least;
}

Instant Quota::NextChange(Instant now) const {
  Instant next = kNever;
  for (const auto& counted : minutes_) {
    if (counted) next = std::min(next, counted->window.NextExpiry(now));
  }
  for (const auto& counted : days_) {
    if (counted) next = std::min(next, counted->counter.ResetsAt(now));
  }
  return next;
}

const SlidingWindow* Quota::Window(LimitKind kind) const {
  const auto& counted = minutes_[IndexOf(kind)];
  return counted ? &counted->window : nullptr;
}

const DayCounter* Quota::Day(LimitKind kind) const {
  const auto& counted = days_[IndexOf(kind) - kFirstDay];
  return counted ? &counted->counter : nullptr;
}

std::int64_t Quota::AmountOf(LimitKind kind) const {
  if (kind == LimitKind::kInFlight) return *limits_.max_in_flight;
  if (kind >= LimitKind::kRpd) return Day(kind)->limit();
  return minutes_[IndexOf(kind)]->configured;
}

ModelUsage Quota::Usage(Instant now) const {
  ModelUsage usage;
  std::optional<Gauge>* const minutes[] = {&usage.rpm, &usage.tpm, &usage.itpm, &usage.otpm};
  for (std::size_t i = 0; i < kMinuteKinds; ++i) {
    if (!minutes_[i]) continue;
    *minutes[i] = Gauge{minutes_[i]->window.Used(now), minutes_[i]->window.limit(), {}};
  }
  std::optional<Gauge>* const days[] = {&usage.rpd, &usage.tpd};
  for (std::size_t i = 0; i < days_.size(); ++i) {
    if (!days_[i]) continue;
    Gauge gauge{days_[i]->counter.Used(now), days_[i]->counter.limit(), {}};
    const Instant resets = days_[i]->counter.ResetsAt(now);
    if (resets != kNever) gauge.resets_at = resets;
    *days[i] = gauge;
  }
  return usage;
}

Instant Quota::DayEnd(Instant now) const {
  if (!limits_.day_reset) return kNever;
  const Instant end = limits_.day_reset(now);
  return end > now ? end + limits_.guard : kNever;
}

}  // namespace requestrouter::policy
