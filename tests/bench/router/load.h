#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "tests/bench/router/histogram.h"
#include "tests/bench/router/target.h"

namespace requestrouter::bench {

using Clock = std::chrono::steady_clock;

struct LoadOptions {
  std::int64_t in_flight = 1;  // closed loop: so many are kept outstanding
  double rate = 0;             // open loop, where not 0: requests a second, at fixed instants
  Clock::time_point start;
  Clock::duration warm_up{};  // what is due before its end is sent, but not measured
  Clock::duration length{};   // of what is measured
  Clock::duration tail{};     // what is due after that is sent, but not measured
  Clock::duration patience{std::chrono::seconds(10)};  // for answers, after that
  std::function<Clock::time_point()> now = &Clock::now;
};

struct LoadReport {
  std::int64_t in_time = 0;  // answers that came while it was measured
  std::int64_t failed = 0;
  std::int64_t unanswered = 0;
  std::string error;  // the last one
  // Of the requests due while it was measured, from the instant a request was due, so that a
  // server that falls behind cannot hide it by slowing its clients down.
  Histogram latency;
  Histogram late;  // how late this client itself sent them
};

// One client of a target: keeps the pace and the books.
class Load {
 public:
  Load(const LoadOptions& options, Target* target);
  LoadReport Run();  // from `start` on, which is to be waited for before

 private:
  struct Outstanding {
    Clock::time_point due;
    std::uint64_t number = 0;  // 0: none
  };

  void SendWhatIsDue(Clock::time_point now);
  bool Send(Clock::time_point due);
  Clock::time_point NextDue() const;
  Outstanding& Slot(std::uint64_t number);
  bool IsMeasured(Clock::time_point at) const;
  void Take(std::uint64_t number, const std::string& error);

  const LoadOptions options_;
  const Clock::time_point measured_from_;
  const Clock::time_point measured_until_;
  Target* const target_;
  std::uint64_t sent_ = 0;
  std::int64_t outstanding_ = 0;
  std::vector<Outstanding> slots_;
  LoadReport report_;
};

}  // namespace requestrouter::bench
