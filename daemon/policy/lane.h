#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "daemon/policy/fair_queue.h"
#include "daemon/policy/forecast.h"
#include "daemon/policy/plan.h"
#include "daemon/policy/types.h"

namespace requestrouter::policy {

// Where requests with the same plan (the same candidates) wait: only the head is matched with keys.
struct Lane {
  static constexpr Instant kAwake = Instant::min();

  struct Forecasts {
    std::uint64_t version;  // of the pool that they were made from
    Instant at;
    Forecast wanted, fallback;
  };

  Plan plan;
  FairQueue queue;                 // changed by Push, Remove and Charge
  Instant blocked_until = kAwake;  // its head cannot be sent before
  std::size_t requests = 0;        // of this lane, wherever they are
  Demand total{};                  // of those in the queue, for what those ahead will take
  std::optional<Forecasts> forecasts{};

  // `demand` is the same for both; both wake the lane, whose head may be another one now.
  void Push(const FairQueue::Item& item, const Demand& demand);
  void Remove(std::uint64_t ticket, const Demand& demand);
  // Of one in the queue; zero where none is.
  Demand AverageDemand() const;
  // Aborts where an invariant does not hold.
  void SanityCheck() const;
};

}  // namespace requestrouter::policy
