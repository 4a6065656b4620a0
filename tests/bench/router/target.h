#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

namespace requestrouter::bench {

// Where a load's requests go. Confined to one thread.
class Target {
 public:
  // Of one request; `error` is empty where it was answered well.
  using Arrived = std::function<void(std::uint64_t number, const std::string& error)>;

  virtual ~Target() = default;
  virtual void Send(std::uint64_t number) = 0;
  // Reports what has arrived, waiting for at most `patience` where nothing has.
  virtual void Wait(std::chrono::nanoseconds patience, const Arrived& arrived) = 0;
};

}  // namespace requestrouter::bench
