#pragma once

#include "daemon/config/config.h"
#include "daemon/policy/types.h"
#include "daemon/router/clock.h"

namespace requestrouter::router {

// Wall time of the next beginning of a provider's day after `wall`; nullopt for a rolling day.
// Google resets requests per day at midnight Pacific time, daylight saving included
// (https://ai.google.dev/gemini-api/docs/rate-limits, "RPD quotas reset at midnight Pacific time").
std::optional<storage::Millis> NextDayStart(config::DayReset reset, storage::Millis wall);

// Wall time at which the provider's present day began; for a rolling day 24 hours before `wall`.
storage::Millis DayStart(config::DayReset reset, storage::Millis wall);

// The same as policy wants it: a function of the steady clock. Null for a rolling day. `clock`
// outlives the function.
policy::NextReset MakeNextReset(config::DayReset reset, const Clock& clock);

}  // namespace requestrouter::router
