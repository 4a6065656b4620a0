#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "daemon/policy/key_pool.h"
#include "daemon/policy/token_rule.h"
#include "daemon/policy/types.h"

namespace requestrouter::policy {

// When how much capacity will have come free, for telling a waiting request its turn.
//
// A window that is always refilled as it empties gives out its limit once a window, in the same
// rhythm as it does now. So the n-th request from now goes at the moment within one window at
// which the remainder of n has come free, plus as many whole windows as n holds. Tokens likewise;
// the latest of the limits counts. A day gives what is left of it, and more when the first of the
// keys' days ends. It is exact for requests that want one of each resource and leans early
// otherwise: what keys share between models, in-flight limits and the waste of odd sizes only make
// it later.
class Forecast {
 public:
  // Of the cells of `choices`; a quota shared by several keys counts once. Points of windows are
  // merged (towards earlier) where there are many quotas, so that the cost is bounded.
  Forecast(const KeyPool& pool, const Choices& choices, Instant now);

  // The earliest instant at which all of `need` has come free; kNever where no instant is known.
  Instant When(const Amounts& need) const;

 private:
  struct Release {
    Instant at;
    std::int64_t amount;
  };
  struct Supply {
    bool limited = true;            // by every quota
    std::int64_t limit = 0;         // sum
    Duration window{};              // the shortest
    std::vector<Release> releases;  // of one window; sorted
  };
  struct DaySupply {
    bool limited = true;  // by every quota
    std::int64_t left = 0;
    Instant end = kNever;  // of the first of their days
  };

  void Add(const Quota& quota, Instant usable_at, std::size_t max_points, Instant now);
  void AddMinute(Supply& supply, const SlidingWindow* window, Instant usable_at,
                 std::size_t max_points, Instant now);
  static void AddDay(DaySupply& supply, const DayCounter* day, Instant now);
  Instant WhenOf(const Supply& supply, std::int64_t need) const;

  Instant first_ = kNever;  // when the first quota is usable
  std::array<Supply, kMinuteKinds> supplies_;
  std::array<DaySupply, kDayKinds> day_supplies_;
};

}  // namespace requestrouter::policy
