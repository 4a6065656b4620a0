#include "daemon/router/day_reset.h"

#include <gtest/gtest.h>

#include "tests/daemon/fakes.h"

namespace requestrouter::router {
namespace {

using config::DayReset;

// Milliseconds since the epoch of instants in 2026, from `date -u -d … +%s000`.
constexpr storage::Millis kJan15Noon = 1'768'478'400'000;      // 2026-01-15T12:00:00Z
constexpr storage::Millis kJan16Pacific = 1'768'550'400'000;   // 2026-01-16T08:00:00Z, PST midnight
constexpr storage::Millis kJul15Noon = 1'784'116'800'000;      // 2026-07-15T12:00:00Z
constexpr storage::Millis kJul16Pacific = 1'784'185'200'000;   // 2026-07-16T07:00:00Z, PDT midnight
constexpr storage::Millis kMar8Pacific = 1'772'956'800'000;    // 2026-03-08T08:00:00Z, clocks go on
constexpr storage::Millis kMar9Pacific = 1'773'039'600'000;    // 2026-03-09T07:00:00Z
constexpr storage::Millis kNov1Pacific = 1'793'516'400'000;    // 2026-11-01T07:00:00Z, clocks go back
constexpr storage::Millis kNov2Pacific = 1'793'606'400'000;    // 2026-11-02T08:00:00Z

TEST(DayReset, APacificDayEndsAtEightUtcInWinterAndAtSevenInSummer) {
  EXPECT_EQ(NextDayStart(DayReset::kPacificMidnight, kJan15Noon), kJan16Pacific);
  EXPECT_EQ(NextDayStart(DayReset::kPacificMidnight, kJul15Noon), kJul16Pacific);
}

TEST(DayReset, TheDayOnWhichTheClocksGoOnHas23Hours) {
  EXPECT_EQ(NextDayStart(DayReset::kPacificMidnight, kMar8Pacific), kMar9Pacific);
  EXPECT_EQ(kMar9Pacific - kMar8Pacific, 23 * 3'600'000);
}

TEST(DayReset, TheDayOnWhichTheClocksGoBackHas25Hours) {
  EXPECT_EQ(NextDayStart(DayReset::kPacificMidnight, kNov1Pacific), kNov2Pacific);
  EXPECT_EQ(kNov2Pacific - kNov1Pacific, 25 * 3'600'000);
}

TEST(DayReset, AtMidnightItselfTheNextOneIsMeantAndJustBeforeThisOne) {
  EXPECT_EQ(NextDayStart(DayReset::kPacificMidnight, kJan16Pacific - 1), kJan16Pacific);
  EXPECT_EQ(NextDayStart(DayReset::kPacificMidnight, kJan16Pacific), kJan16Pacific + 86'400'000);
}

TEST(DayReset, AUtcDayEndsAtMidnightUtc) {
  EXPECT_EQ(NextDayStart(DayReset::kUtcMidnight, kJan15Noon), kJan15Noon + 12 * 3'600'000);
}

TEST(DayReset, ARollingDayHasNoReset) {
  FakeClock clock;
  EXPECT_EQ(NextDayStart(DayReset::kRolling24h, kJan15Noon), std::nullopt);
  EXPECT_FALSE(MakeNextReset(DayReset::kRolling24h, clock));
}

TEST(DayReset, PolicyIsToldTheResetOnItsOwnClock) {
  FakeClock clock;
  const policy::NextReset reset = MakeNextReset(DayReset::kUtcMidnight, clock);
  const storage::Millis expected = *NextDayStart(DayReset::kUtcMidnight, clock.Wall());
  EXPECT_EQ(WallAt(clock, reset(clock.Steady())), expected);
}

}  // namespace
}  // namespace requestrouter::router
