#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "storage/store.h"

// What both sides of the storage bench write, and how they are measured.
namespace requestrouter::bench {

// A turn as the daemon stores it: the attempt before it is sent, then the turn of two messages with
// its usage, the attempt's end and the reply kept for a retry.
storage::AttemptOpened OpenedOf(std::int64_t number);
storage::Finish FinishOf(std::int64_t number);

struct Measured {
  double turns_per_s = 0;
  double p50_ms = 0;  // from asking for a turn to be stored until it is
  double p99_ms = 0;
  double cpu_us = 0;  // of the process, a turn
};

// Collects latencies of one run.
class Stopwatch {
 public:
  using Clock = std::chrono::steady_clock;
  explicit Stopwatch(std::chrono::milliseconds length) : end_(began_ + length) {}
  bool running() const { return Clock::now() < end_; }
  void Turn(Clock::time_point asked) {
    latencies_.push_back(std::chrono::duration<double, std::milli>(Clock::now() - asked).count());
  }
  Measured Result();

 private:
  static double CpuSeconds();

  const Clock::time_point began_ = Clock::now();
  const double cpu_began_ = CpuSeconds();
  const Clock::time_point end_;
  std::vector<double> latencies_;
};

// `callers` at a time through the store, each asking for its next turn when the last is stored.
Measured RunStore(const std::string& directory, storage::Durability durability, int callers,
                  std::chrono::milliseconds length);

// The same rows with SQLite alone, on one thread: a transaction of `callers` turns, without end.
// Attempts are not logged, and counters written for each turn.
Measured RunRaw(const std::string& directory, storage::Durability durability, int callers,
                std::chrono::milliseconds length);

}  // namespace requestrouter::bench
