#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "daemon/policy/types.h"

namespace requestrouter::policy {

// A true sliding window: what was added at t counts until t + window, so that no span of that
// length ever holds more than the limit (unless Add is called without Fits, which is how usage
// above its estimate is recorded: it is allowed, and it counts).
//
// Cost: amortised O(1) a call, apart from ReadyAt, which walks what must leave first. Memory:
// at most kMaxPoints points; beyond, neighbours are merged into the later one, so that amounts
// leave late rather than early. Time never decreases from call to call, apart from `at`, which may
// lie in the past.
class SlidingWindow {
 public:
  struct Point {
    Instant at;
    std::int64_t amount;
  };
  static constexpr std::size_t kMaxPoints = 1024;

  SlidingWindow(std::int64_t limit, Duration window);

  // What is in the window stays in it.
  void SetLimit(std::int64_t limit, Duration window);

  std::int64_t limit() const { return limit_; }
  Duration window() const { return window_; }
  std::int64_t Used(Instant now) const;
  bool Fits(std::int64_t amount, Instant now) const;

  // The earliest instant at which `amount` fits if nothing else is added; kNever if it is larger
  // than the limit. Later than `now` exactly where Fits is false.
  Instant ReadyAt(std::int64_t amount, Instant now) const;

  void Add(std::int64_t amount, Instant at);

  // Takes back part of what was added at `at`; what has left the window already is left alone.
  void Remove(std::int64_t amount, Instant at, Instant now);

  void Clear();

  // When the next amount leaves; kNever when the window is empty.
  Instant NextExpiry(Instant now) const;

  // When how much leaves, in order, as at most `max_points` steps; merged ones count from the
  // earlier instant.
  std::vector<Point> Releases(Instant now, std::size_t max_points) const;

  std::size_t points() const { return points_.size(); }
  void SanityCheck() const;

 private:
  void Expire(Instant now) const;
  void Merge();

  std::int64_t limit_;
  Duration window_;
  // What has left is dropped when somebody asks, which no caller can see.
  mutable std::deque<Point> points_;  // ascending, one per instant, amounts above 0
  mutable std::int64_t used_ = 0;     // their sum
};

}  // namespace requestrouter::policy
