#include "daemon/policy/day_counter.h"

#include <gtest/gtest.h>

#include "tests/policy/support.h"

namespace requestrouter::policy {
namespace {

// Days that begin at whole multiples of 24 h of the test's clock.
Instant NextMidnight(Instant now) {
  const auto days = std::chrono::duration_cast<hours>(now.time_since_epoch()) / 24;
  return Instant(hours(24) * (days.count() / 1 + 1));
}

const Instant kMidnight = NextMidnight(kStart);

TEST(DayCounter, StartsAnewAtTheProvidersMidnightAndNotBefore) {
  DayCounter counter(2, NextMidnight, milliseconds(250));
  counter.Add(2, kStart, kStart);
  EXPECT_FALSE(counter.Fits(1, kMidnight));  // within the guard
  EXPECT_FALSE(counter.Fits(1, kMidnight + milliseconds(249)));
  EXPECT_TRUE(counter.Fits(2, kMidnight + milliseconds(250)));
}

TEST(DayCounter, KnowsWhenADayEnds) {
  DayCounter counter(2, NextMidnight, {});
  counter.Add(1, kStart, kStart);
  EXPECT_EQ(counter.ReadyAt(1, kStart), kStart);
  EXPECT_EQ(counter.ReadyAt(2, kStart), kMidnight);
  EXPECT_EQ(counter.ReadyAt(3, kStart), kNever);
  EXPECT_EQ(counter.ResetsAt(kMidnight), kMidnight + hours(24));
}

TEST(DayCounter, WhatWasReservedYesterdayIsNotTakenFromToday) {
  DayCounter counter(10, NextMidnight, {});
  counter.Add(4, kStart, kStart);
  counter.Add(3, kMidnight, kMidnight);
  counter.Remove(4, kStart, kMidnight);
  EXPECT_EQ(counter.Used(kMidnight), 3);
  counter.Remove(3, kMidnight, kMidnight);
  EXPECT_EQ(counter.Used(kMidnight), 0);
}

TEST(DayCounter, WithoutAResetEverythingCountsFor24Hours) {
  DayCounter counter(2, nullptr, {});
  counter.Add(1, kStart, kStart);
  counter.Add(1, kStart + hours(1), kStart + hours(1));
  EXPECT_EQ(counter.ReadyAt(1, kStart + hours(2)), kStart + hours(24));
  EXPECT_EQ(counter.ReadyAt(2, kStart + hours(2)), kStart + hours(25));
  EXPECT_TRUE(counter.Fits(1, kStart + hours(24)));
}

TEST(DayCounter, WhatAnEarlierRunCountedIsRestored) {
  for (const NextReset& reset : {NextReset(NextMidnight), NextReset()}) {
    DayCounter counter(10, reset, {});
    counter.Restore(9, kStart, kStart);
    EXPECT_TRUE(counter.Fits(1, kStart));
    EXPECT_FALSE(counter.Fits(2, kStart));
  }
}

TEST(DayCounter, OverARollingDayWhatAnEarlierRunCountedCountsFromWhenItWasUsed) {
  DayCounter counter(10, nullptr, {});
  counter.Restore(9, kStart - hours(23), kStart);
  EXPECT_FALSE(counter.Fits(2, kStart + hours(1) - milliseconds(1)));
  EXPECT_TRUE(counter.Fits(10, kStart + hours(1)));
}

TEST(DayCounter, ADayThatIsToEndElsewhereKeepsWhatWasUsed) {
  const auto noon = [](Instant now) { return NextMidnight(now + hours(12)) - hours(12); };
  const Instant next_noon = noon(kStart);
  ASSERT_NE(next_noon, kMidnight);
  DayCounter counter(2, NextMidnight, {});
  counter.Add(2, kStart, kStart);
  counter.SetRule(2, noon, milliseconds(250), kStart);
  EXPECT_EQ(counter.ReadyAt(1, kStart), next_noon + milliseconds(250));
  EXPECT_FALSE(counter.Fits(1, next_noon + milliseconds(249)));
  EXPECT_TRUE(counter.Fits(2, next_noon + milliseconds(250)));
}

TEST(DayCounter, ADayThatRollsFromNowOnCountsWhatWasUsedAsUsedNow) {
  DayCounter counter(2, NextMidnight, {});
  counter.Add(2, kStart, kStart);
  const Instant now = kStart + hours(1);
  counter.SetRule(2, nullptr, {}, now);
  EXPECT_EQ(counter.ReadyAt(1, now), now + hours(24));
}

TEST(DayCounter, ADayThatRolledEndsWithTheProvidersFromNowOn) {
  DayCounter counter(2, nullptr, {});
  counter.Add(2, kStart, kStart);
  counter.SetRule(2, NextMidnight, {}, kStart + hours(1));
  EXPECT_EQ(counter.ReadyAt(1, kStart + hours(1)), NextMidnight(kStart + hours(1)));
}

TEST(DayCounter, ReadingTheSameRuleAgainWithinTheGuardDoesNotKeepYesterdayForAnotherDay) {
  DayCounter counter(2, NextMidnight, milliseconds(250));
  counter.Add(2, kStart, kStart);
  counter.SetRule(2, NextMidnight, milliseconds(250), kMidnight + milliseconds(249));
  EXPECT_FALSE(counter.Fits(1, kMidnight + milliseconds(249)));
  EXPECT_TRUE(counter.Fits(2, kMidnight + milliseconds(250)));
}

TEST(DayCounter, AResetThatIsNotAheadIsTakenToBeADayAhead) {
  DayCounter counter(1, [](Instant now) { return now; }, {});
  counter.Add(1, kStart, kStart);
  EXPECT_EQ(counter.ReadyAt(1, kStart), kStart + hours(24));
}

TEST(DayCounter, WhatWasUsedOnADayThatIsOverDoesNotCountThoughNobodyAskedForDays) {
  DayCounter counter(10, NextMidnight, {});
  counter.Add(1, kStart, kStart);
  const Instant now = kMidnight + hours(50);
  counter.Add(4, kMidnight + hours(1), now);
  counter.Add(3, kMidnight + hours(47), now);
  EXPECT_EQ(counter.Used(now), 0);
  counter.Add(2, kMidnight + hours(48), now);
  EXPECT_EQ(counter.Used(now), 2);
  EXPECT_EQ(counter.ResetsAt(now), kMidnight + hours(72));
}

TEST(DayCounter, ADayThatRollsOnKeepsWhatWasUsedUnderItsNewLimit) {
  DayCounter counter(2, nullptr, {});
  counter.Add(2, kStart, kStart);
  counter.SetRule(3, nullptr, {}, kStart + hours(1));
  EXPECT_TRUE(counter.Fits(1, kStart + hours(1)));
  EXPECT_FALSE(counter.Fits(2, kStart + hours(1)));
  EXPECT_EQ(counter.ReadyAt(3, kStart + hours(1)), kStart + hours(24));
}

TEST(DayCounter, WhatWasUsedYesterdayAndIsToldTodayDoesNotCount) {
  DayCounter counter(10, NextMidnight, {});
  counter.Add(1, kStart, kStart);
  counter.Add(4, kStart, kMidnight);
  EXPECT_EQ(counter.Used(kMidnight), 0);
  counter.Add(4, kMidnight, kMidnight);
  EXPECT_EQ(counter.Used(kMidnight), 4);
}

TEST(DayCounter, OverARollingDayWhatIsTakenBackOrClearedIsFree) {
  DayCounter counter(10, nullptr, {});
  counter.Add(4, kStart, kStart);
  counter.Add(3, kStart + hours(1), kStart + hours(1));
  counter.Remove(4, kStart, kStart + hours(2));
  EXPECT_EQ(counter.Used(kStart + hours(2)), 3);
  counter.Clear();
  EXPECT_EQ(counter.Used(kStart + hours(2)), 0);
  EXPECT_EQ(counter.ResetsAt(kStart + hours(2)), kNever);
}

TEST(DayCounter, WhatIsClearedIsFreeBeforeTheDayEnds) {
  DayCounter counter(2, NextMidnight, {});
  counter.Add(2, kStart, kStart);
  counter.Clear();
  EXPECT_TRUE(counter.Fits(2, kStart));
  EXPECT_EQ(counter.ResetsAt(kStart), kMidnight);
}

}  // namespace
}  // namespace requestrouter::policy
