#include "daemon/policy/retry.h"

#include <algorithm>
#include <cmath>

namespace requestrouter::policy {

Duration Doubled(Duration base, std::int64_t doublings, Duration cap) {
  if (base >= cap) return cap;
  for (std::int64_t i = 0; i < doublings; ++i) {
    if (base > cap / 2) return cap;
    base *= 2;
  }
  return base;
}

Duration RetryDelay(const RetryPolicy& policy, std::int64_t round, double random,
                    std::optional<Duration> retry_after) {
  const Duration cap = std::max(policy.cap, Duration::zero());
  const Duration base = std::clamp(policy.base, Duration::zero(), cap);
  const Duration plain =
      base == Duration::zero() ? base : Doubled(base, std::max<std::int64_t>(round - 1, 0), cap);
  const double spread = 1 + policy.jitter * (2 * random - 1);
  const double ticks = std::round(static_cast<double>(plain.count()) * std::max(spread, 0.0));
  const Duration delay =
      ticks >= static_cast<double>(cap.count()) ? cap : Duration(static_cast<Duration::rep>(ticks));
  return std::max(delay, retry_after.value_or(Duration::zero()));
}

}  // namespace requestrouter::policy
