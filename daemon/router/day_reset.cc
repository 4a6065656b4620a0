#include "daemon/router/day_reset.h"

#include <date/tz.h>

namespace requestrouter::router {
namespace {

using std::chrono::milliseconds;

storage::Millis NextUtcMidnight(storage::Millis wall) {
  const date::sys_time<milliseconds> now{milliseconds(wall)};
  const auto tomorrow = date::floor<date::days>(now) + date::days(1);
  return std::chrono::duration_cast<milliseconds>(tomorrow.time_since_epoch()).count();
}

storage::Millis NextMidnightIn(const char* zone_name, storage::Millis wall) {
  const date::time_zone* zone = date::locate_zone(zone_name);
  const date::sys_time<milliseconds> now{milliseconds(wall)};
  const auto local_day = date::floor<date::days>(zone->to_local(now));
  const auto midnight = zone->to_sys(local_day + date::days(1), date::choose::earliest);
  return std::chrono::duration_cast<milliseconds>(midnight.time_since_epoch()).count();
}

}  // namespace

std::optional<storage::Millis> NextDayStart(config::DayReset reset, storage::Millis wall) {
  switch (reset) {
    case config::DayReset::kPacificMidnight:
      return NextMidnightIn("America/Los_Angeles", wall);
    case config::DayReset::kUtcMidnight:
      return NextUtcMidnight(wall);
    case config::DayReset::kRolling24h:
      break;
  }
  return std::nullopt;
}

storage::Millis DayStart(config::DayReset reset, storage::Millis wall) {
  // No day has more than 25 hours, so the last start lies after the one before 26 hours ago.
  storage::Millis start = wall - 26 * 3'600'000LL;
  for (auto next = NextDayStart(reset, start); next && *next <= wall;
       next = NextDayStart(reset, start)) {
    start = *next;
  }
  return reset == config::DayReset::kRolling24h ? wall - 24 * 3'600'000LL : start;
}

policy::NextReset MakeNextReset(config::DayReset reset, const Clock& clock) {
  if (reset == config::DayReset::kRolling24h) return nullptr;
  return [reset, &clock](policy::Instant now) {
    const storage::Millis wall = WallAt(clock, now);
    return now + milliseconds(*NextDayStart(reset, wall) - wall);
  };
}

}  // namespace requestrouter::router
