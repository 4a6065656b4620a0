#include "daemon/router/clock.h"

#include <gtest/gtest.h>

#include "tests/daemon/fakes.h"

namespace requestrouter::router {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::milliseconds;

TEST(Timestamp, IsRfc3339InUtcWithMilliseconds) {
  EXPECT_EQ(Timestamp(0), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(Timestamp(1'700'000'000'123), "2023-11-14T22:13:20.123Z");
}

TEST(Timestamp, BeforeTheEpochIsWrittenTooNotRefused) {
  EXPECT_EQ(Timestamp(-1), "1969-12-31T23:59:59.999Z");
}

TEST(Timestamp, WhatRfc3339CannotSayIsTheNearestThatItCan) {
  EXPECT_EQ(Timestamp(253'402'300'799'999), "9999-12-31T23:59:59.999Z");
  EXPECT_EQ(Timestamp(253'402'300'800'000), "9999-12-31T23:59:59.999Z");
  EXPECT_EQ(Timestamp(INT64_MAX), "9999-12-31T23:59:59.999Z");
  EXPECT_EQ(Timestamp(-62'167'219'200'000), "0000-01-01T00:00:00.000Z");
  EXPECT_EQ(Timestamp(INT64_MIN), "0000-01-01T00:00:00.000Z");
}

TEST(Timestamp, ALeapDayIsADay) {
  EXPECT_EQ(Timestamp(1'709'164'800'000), "2024-02-29T00:00:00.000Z");
  EXPECT_EQ(Timestamp(1'709'251'199'999), "2024-02-29T23:59:59.999Z");
}

TEST(WaitMs, IsRoundedUpSoThatNobodyComesBackTooEarly) {
  EXPECT_EQ(WaitMs(microseconds(1)), 1);
  EXPECT_EQ(WaitMs(milliseconds(5)), 5);
  EXPECT_EQ(WaitMs(milliseconds(-5)), 0);
}

TEST(Clock, AStoredInstantIsFoundAgainOnTheSteadyClock) {
  FakeClock clock;
  const policy::Instant later = clock.Steady() + milliseconds(1500);
  EXPECT_EQ(SteadyAt(clock, WallAt(clock, later)), later);
}

TEST(Clock, AStoredInstantFarAheadIsClampedBecauseTheClockWasSetBack) {
  FakeClock clock;
  const storage::Millis stored = clock.Wall() + 60'000;
  clock.JumpWall(-hours(100));
  EXPECT_EQ(SteadyAt(clock, stored, hours(25)), clock.Steady() + hours(25));
  EXPECT_EQ(SteadyAt(clock, INT64_MAX, hours(25)), clock.Steady() + hours(25));  // for ever
}

}  // namespace
}  // namespace requestrouter::router
