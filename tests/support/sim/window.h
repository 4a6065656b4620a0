#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>

namespace requestrouter::sim {

using Instant = std::chrono::steady_clock::time_point;

// A sliding minute as a provider would count it: a plain list of what was taken when. Written apart
// from the router's own windows on purpose, so that a mistake in one does not hide in the other.
class Window {
 public:
  explicit Window(std::int64_t limit, std::chrono::seconds length = std::chrono::seconds(60))
      : limit_(limit), length_(length) {}

  bool Fits(std::int64_t amount, Instant now) {
    Forget(now);
    return used_ + amount <= limit_;
  }
  void Take(std::int64_t amount, Instant now) {
    taken_.emplace_back(now, amount);
    used_ += amount;
  }
  // When the oldest that is still counted leaves the window.
  Instant FreesAt() const { return taken_.empty() ? Instant() : taken_.front().first + length_; }
  std::int64_t limit() const { return limit_; }
  std::int64_t used(Instant now) {
    Forget(now);
    return used_;
  }

 private:
  void Forget(Instant now) {
    while (!taken_.empty() && now - taken_.front().first >= length_) {
      used_ -= taken_.front().second;
      taken_.pop_front();
    }
  }
  std::int64_t limit_;
  std::chrono::seconds length_;
  std::int64_t used_ = 0;
  std::deque<std::pair<Instant, std::int64_t>> taken_;
};

}  // namespace requestrouter::sim
