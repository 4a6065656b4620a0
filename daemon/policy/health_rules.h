#pragma once

#include "daemon/policy/health.h"
#include "daemon/policy/request.h"
#include "daemon/policy/types.h"

// What the end of an attempt says of the health of the quota, the provider and the key it used.
// Pure: from the report alone.
namespace requestrouter::policy {

// After a 429 that names no delay (minute quotas are over by then, whenever they began).
inline constexpr Duration kMinuteCooldown = std::chrono::seconds(60);
inline constexpr Duration kMinuteCooldownCap = std::chrono::minutes(15);
// For day quotas whose end is not known.
inline constexpr Duration kDayCooldown = std::chrono::hours(1);
inline constexpr Duration kDayCooldownCap = std::chrono::hours(24);
// Whatever a fault asks for.
inline constexpr Duration kLongestCooldown = std::chrono::hours(48);
// After failures that may be chance.
inline constexpr Duration kFailureCooldown = std::chrono::seconds(1);
inline constexpr Duration kFailureCooldownCap = std::chrono::seconds(30);

// Of the quota. `day_end`: when its day is over; kNever: not known, or no matter (only a fault of
// kDayQuota asks for it).
Health::Event QuotaEvent(const Report& report, Instant day_end);

// Of the provider: kSucceeded, kFailed or kNoVerdict.
Health::Event::Kind ProviderVerdict(const Report& report);

// Of the key. `provider_to_blame`: for a failure that ProviderVerdict says is the provider's.
Health::Event KeyEvent(const Report& report, bool provider_to_blame);

}  // namespace requestrouter::policy
