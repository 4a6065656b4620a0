#pragma once

#include <cstdint>
#include <optional>

#include "daemon/policy/pool_config.h"
#include "daemon/policy/types.h"

// When a request that failed is tried again.
namespace requestrouter::policy {

// base · 2^doublings, at most `cap`; never overflows. `base` above 0.
Duration Doubled(Duration base, std::int64_t doublings, Duration cap);

// The pause before round `round` (1: the first after the initial one) of a request's attempts:
// base · 2^(round-1), spread by ± jitter with `random` in [0, 1), never above the cap. What the
// provider asked for is a floor, also above the cap: earlier attempts would only be refused.
Duration RetryDelay(const RetryPolicy& policy, std::int64_t round, double random,
                    std::optional<Duration> retry_after);

}  // namespace requestrouter::policy
