#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <set>
#include <utility>

namespace requestrouter::upstream {

// The time-outs of all transfers, in order. Setting one costs the logarithm of their number;
// nothing here is linear in what is in flight. Confined to one thread.
class Deadlines {
 public:
  using Instant = std::chrono::steady_clock::time_point;

  static constexpr Instant kNever = Instant::max();

  // One transfer's place in the order. Leaves it when destroyed.
  class Alarm {
   public:
    // `deadlines` outlives the alarm.
    Alarm(Deadlines* deadlines, std::int64_t id) : deadlines_(deadlines), id_(id) {}
    ~Alarm() { Set(kNever); }
    Alarm(const Alarm&) = delete;
    Alarm& operator=(const Alarm&) = delete;

    void Set(Instant at) {
      if (at == at_) return;
      if (at_ != kNever) deadlines_->order_.erase({at_, id_});
      if (at != kNever) deadlines_->order_.emplace(at, id_);
      at_ = at;
    }

   private:
    Deadlines* const deadlines_;
    const std::int64_t id_;
    Instant at_ = kNever;
  };

  Instant next() const { return order_.empty() ? kNever : order_.begin()->first; }

  // The id whose alarm is due first, if it is due. Its owner ends it or sets it anew.
  std::optional<std::int64_t> Due(Instant now) const {
    if (next() > now || order_.empty()) return std::nullopt;
    return order_.begin()->second;
  }

 private:
  std::set<std::pair<Instant, std::int64_t>> order_;
};

}  // namespace requestrouter::upstream
