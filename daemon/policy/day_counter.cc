#include "daemon/policy/day_counter.h"

#include <algorithm>
#include <utility>

namespace requestrouter::policy {
namespace {

constexpr Duration kDay = std::chrono::hours(24);

}  // namespace

DayCounter::DayCounter(std::int64_t limit, NextReset next_reset, Duration guard)
    : limit_(limit), next_reset_(std::move(next_reset)), guard_(guard) {
  if (!next_reset_) rolling_.emplace(limit, kDay + guard);
}

void DayCounter::SetRule(std::int64_t limit, NextReset next_reset, Duration guard, Instant now) {
  const std::int64_t used = Used(now);
  limit_ = limit;
  next_reset_ = std::move(next_reset);
  guard_ = guard;
  if (next_reset_) {
    rolling_.reset();
    used_ = used;
    day_end_ = EndOfDay(now - guard_);  // until its guard has passed, the day goes on
  } else if (rolling_) {
    rolling_->SetLimit(limit, kDay + guard);
  } else {
    rolling_.emplace(limit, kDay + guard);
    rolling_->Add(used, now);
  }
}

std::int64_t DayCounter::Used(Instant now) const {
  if (rolling_) return rolling_->Used(now);
  Roll(now);
  return used_;
}

bool DayCounter::Fits(std::int64_t amount, Instant now) const {
  return amount <= limit_ - Used(now);
}

Instant DayCounter::ReadyAt(std::int64_t amount, Instant now) const {
  if (rolling_) return rolling_->ReadyAt(amount, now);
  if (Fits(amount, now)) return now;
  return amount > limit_ ? kNever : *day_end_;
}

void DayCounter::Add(std::int64_t amount, Instant at, Instant now) {
  if (rolling_) return rolling_->Add(amount, at);
  Roll(now);
  if (at >= day_start_) used_ += std::max<std::int64_t>(amount, 0);
}

void DayCounter::Remove(std::int64_t amount, Instant at, Instant now) {
  if (rolling_) return rolling_->Remove(amount, at, now);
  Roll(now);
  if (at >= day_start_) used_ -= std::min(std::max<std::int64_t>(amount, 0), used_);
}

void DayCounter::Restore(std::int64_t amount, Instant at, Instant now) { Add(amount, at, now); }

void DayCounter::Clear() {
  if (rolling_) rolling_->Clear();
  used_ = 0;
}

Instant DayCounter::ResetsAt(Instant now) const {
  if (rolling_) return rolling_->NextExpiry(now);
  Roll(now);
  return *day_end_;
}

void DayCounter::Roll(Instant now) const {
  if (!day_end_) day_end_ = EndOfDay(now);
  while (*day_end_ <= now) {  // more than once where nobody has asked for days
    used_ = 0;
    day_start_ = *day_end_;
    day_end_ = EndOfDay(day_start_);
  }
}

Instant DayCounter::EndOfDay(Instant within) const {
  const Instant end = next_reset_(within);
  return (end > within ? end : within + kDay) + guard_;
}

}  // namespace requestrouter::policy
