#pragma once

#include <cstdint>
#include <optional>

#include "daemon/policy/sliding_window.h"
#include "daemon/policy/types.h"

namespace requestrouter::policy {

// What was used of a day's quota. A day ends where the provider's does (`next_reset`, plus the
// guard: until then the provider's clock may still be in the old day), or, without `next_reset`,
// everything counts for 24 hours. Time never decreases.
class DayCounter {
 public:
  DayCounter(std::int64_t limit, NextReset next_reset, Duration guard);

  // What was used stays used. When exactly is not known of a day that had a `next_reset`: where
  // days end elsewhere from now on it counts until the new one's end, and over a rolling day as if
  // it were used now.
  void SetRule(std::int64_t limit, NextReset next_reset, Duration guard, Instant now);

  std::int64_t limit() const { return limit_; }
  std::int64_t Used(Instant now) const;
  bool Fits(std::int64_t amount, Instant now) const;
  Instant ReadyAt(std::int64_t amount, Instant now) const;  // as SlidingWindow's

  void Add(std::int64_t amount, Instant at, Instant now);
  // Takes back what was added at `at`, if that was today.
  void Remove(std::int64_t amount, Instant at, Instant now);
  // What another run of the program counted today, at `at` or before.
  void Restore(std::int64_t amount, Instant at, Instant now);
  void Clear();

  // When the count next falls: the end of the day, or when the oldest use turns 24 hours old.
  // kNever where nothing is counted over a rolling day.
  Instant ResetsAt(Instant now) const;

 private:
  void Roll(Instant now) const;
  Instant EndOfDay(Instant within) const;

  std::int64_t limit_;
  NextReset next_reset_;
  Duration guard_;
  std::optional<SlidingWindow> rolling_;  // without next_reset_
  // The day is turned when somebody asks, which no caller can see.
  mutable std::int64_t used_ = 0;
  mutable Instant day_start_ = Instant::min();
  mutable std::optional<Instant> day_end_;  // absent until the first call
};

}  // namespace requestrouter::policy
