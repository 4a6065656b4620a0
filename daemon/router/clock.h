#pragma once

#include "daemon/policy/types.h"
#include "storage/store.h"

namespace requestrouter::router {

// The two times of the daemon: the steady one decides, the wall one is stored and shown. Injected,
// so that tests hold the hands.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual policy::Instant Steady() const = 0;
  virtual storage::Millis Wall() const = 0;  // since the Unix epoch
};

class SystemClock final : public Clock {
 public:
  policy::Instant Steady() const override { return std::chrono::steady_clock::now(); }
  storage::Millis Wall() const override {
    return std::chrono::duration_cast<std::chrono::milliseconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
  }
};

// Whole milliseconds, rounded up, never negative: what a caller should wait.
inline std::int64_t WaitMs(policy::Duration duration) {
  const auto ms = std::chrono::ceil<std::chrono::milliseconds>(duration).count();
  return ms > 0 ? ms : 0;
}

// What has passed, in whole milliseconds.
inline std::int64_t ElapsedMs(policy::Duration duration) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
}

// The wall time of a steady instant, as the clocks stand now.
inline storage::Millis WallAt(const Clock& clock, policy::Instant instant) {
  if (instant == policy::kNever) return INT64_MAX;
  return clock.Wall() +
         std::chrono::duration_cast<std::chrono::milliseconds>(instant - clock.Steady()).count();
}

// The steady instant of a wall time. A stored time that lies further ahead than `at_most` is
// clamped to it: the clock has jumped, and nothing that is stored may last longer than that.
inline policy::Instant SteadyAt(const Clock& clock, storage::Millis wall,
                                policy::Duration at_most = std::chrono::hours(48)) {
  // Compared in milliseconds: "for ever" does not fit into nanoseconds.
  const std::int64_t ahead = wall - clock.Wall();
  if (ahead > std::chrono::duration_cast<std::chrono::milliseconds>(at_most).count()) {
    return clock.Steady() + at_most;
  }
  return clock.Steady() + std::chrono::milliseconds(ahead);
}

// RFC 3339 in UTC with milliseconds, as PROTOCOL.md writes instants; the nearest that it can say,
// from the year 0 to the end of 9999.
std::string Timestamp(storage::Millis wall);

}  // namespace requestrouter::router
