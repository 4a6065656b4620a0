#include "daemon/policy/quota.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

#include "tests/policy/support.h"

namespace requestrouter::policy {
namespace {

Demand Tokens(std::int64_t input, std::int64_t output = 0, std::int64_t max_output = 0,
              std::int64_t cached = 0) {
  return {input, output, max_output, cached};
}

std::int64_t UsedOf(const Quota& quota, LimitKind kind, Instant now) {
  return quota.Window(kind)->Used(now);
}

TEST(TokenRule, CountsWhatTheProviderCounts) {
  LimitSet limits;
  const Demand demand = Tokens(100, 20, 500, 60);
  const auto tpm = [&] { return CountAmounts(limits, demand)[static_cast<int>(LimitKind::kTpm)]; };
  const auto itpm = [&] {
    return CountAmounts(limits, demand)[static_cast<int>(LimitKind::kItpm)];
  };
  limits.counts = Counts::kInput;
  EXPECT_EQ(tpm(), 100);
  limits.counts = Counts::kInputAndOutput;
  EXPECT_EQ(tpm(), 120);
  limits.counts = Counts::kInputAndMaxOutput;
  EXPECT_EQ(tpm(), 600);
  EXPECT_EQ(itpm(), 100);
  limits.cached_counts = false;
  EXPECT_EQ(tpm(), 540);
  EXPECT_EQ(itpm(), 40);
  EXPECT_EQ(CountAmounts(limits, demand)[static_cast<int>(LimitKind::kOtpm)], 20);
}

TEST(TokenRule, AbsurdDemandsAreClamped) {
  LimitSet limits;
  limits.counts = Counts::kInputAndMaxOutput;
  const Amounts amounts = CountAmounts(limits, Tokens(INT64_MAX, -5, INT64_MAX, INT64_MAX));
  for (const std::int64_t amount : amounts) {
    EXPECT_GE(amount, 0);
    EXPECT_LE(amount, 2'000'000'000'000);
  }
}

TEST(TokenRule, EachLimitHasTheNameThatTheConfigurationGivesIt) {
  const char* const names[] = {"rpm", "tpm", "itpm", "otpm", "rpd", "tpd", "in_flight"};
  for (int i = 0; i < 7; ++i) EXPECT_STREQ(Name(static_cast<LimitKind>(i)), names[i]);
}

TEST(TokenRule, OnlyAMinuteLimitIsOne) {
  LimitSet limits = Rpm(7);
  limits.rpd = 9;
  limits.max_in_flight = 2;
  EXPECT_EQ(MinuteLimit(limits, LimitKind::kRpm)->amount, 7);
  EXPECT_EQ(MinuteLimit(limits, LimitKind::kOtpm), std::nullopt);
  EXPECT_EQ(MinuteLimit(limits, LimitKind::kRpd), std::nullopt);
  EXPECT_EQ(MinuteLimit(limits, LimitKind::kInFlight), std::nullopt);
}

TEST(Quota, ARefusedReservationConsumesNothing) {
  LimitSet limits = Rpm(10);
  limits.tpm = Limit{100};
  Quota quota(limits);
  quota.Reserve(Tokens(80), kStart);
  EXPECT_FALSE(quota.Fits(Tokens(21), kStart));
  EXPECT_EQ(UsedOf(quota, LimitKind::kRpm, kStart), 1);
  EXPECT_EQ(UsedOf(quota, LimitKind::kTpm, kStart), 80);
  EXPECT_TRUE(quota.Fits(Tokens(20), kStart));
}

TEST(Quota, NamesTheLimitThatStandsInTheWayLongest) {
  LimitSet limits = Rpm(1);
  limits.tpm = Limit{100, seconds(10)};
  Quota quota(limits);
  quota.Reserve(Tokens(80), kStart);
  EXPECT_EQ(quota.Check(Tokens(50), kStart)->limit, LimitKind::kRpm);
  EXPECT_EQ(quota.Check(Tokens(50), kStart)->until, kStart + seconds(60));
}

TEST(Quota, SettlingDownFreesAtOnceAndSettlingUpMayOverrun) {
  Quota quota(Tpm(100));
  const Reservation one = quota.Reserve(Tokens(50), kStart);
  const Reservation other = quota.Reserve(Tokens(50), kStart);
  quota.Settle(one, Tokens(10), {}, kStart + seconds(1));
  EXPECT_EQ(UsedOf(quota, LimitKind::kTpm, kStart + seconds(1)), 60);
  quota.Settle(other, Tokens(150), {}, kStart + seconds(1));
  EXPECT_EQ(UsedOf(quota, LimitKind::kTpm, kStart + seconds(1)), 160);
  EXPECT_FALSE(quota.Fits(Tokens(0), kStart + seconds(1)));
  EXPECT_TRUE(quota.Fits(Tokens(100), kStart + seconds(60)));
}

TEST(Quota, UnknownUsageKeepsTheEstimate) {
  Quota quota(Tpm(100));
  const Reservation reservation = quota.Reserve(Tokens(50), kStart);
  quota.Settle(reservation, {}, {}, kStart + seconds(1));
  EXPECT_EQ(UsedOf(quota, LimitKind::kTpm, kStart + seconds(1)), 50);
  EXPECT_EQ(quota.in_flight(), 0);
}

TEST(Quota, CachedInputIsFreedWhereItDoesNotCount) {
  LimitSet limits;
  limits.itpm = Limit{1000};
  limits.cached_counts = false;
  Quota quota(limits);
  const Reservation reservation = quota.Reserve(Tokens(900), kStart);
  quota.Settle(reservation, Tokens(900, 0, 0, 800), {}, kStart);
  EXPECT_EQ(UsedOf(quota, LimitKind::kItpm, kStart), 100);
}

TEST(Quota, MaxOutputStaysCountedAfterTheAnswer) {
  LimitSet limits = Tpm(1000);
  limits.counts = Counts::kInputAndMaxOutput;
  Quota quota(limits);
  const Reservation reservation = quota.Reserve(Tokens(100, 50, 500), kStart);
  quota.Settle(reservation, Tokens(90, 10), {}, kStart);
  EXPECT_EQ(UsedOf(quota, LimitKind::kTpm, kStart), 590);
}

TEST(Quota, ALateAnswerCountsFromWhenItWasSentEvenIfTheReservationHasLeft) {
  Quota quota(Rpm(1));
  const Reservation reservation = quota.Reserve({}, kStart);
  const Instant now = kStart + seconds(70);
  EXPECT_TRUE(quota.Fits({}, now));
  quota.Settle(reservation, {}, kStart + seconds(20), now);
  EXPECT_FALSE(quota.Fits({}, now));
  EXPECT_TRUE(quota.Fits({}, kStart + seconds(80)));
}

TEST(Quota, SmoothProvidersGetTheirRequestsEvenly) {
  LimitSet limits = Rpm(60);
  limits.burst = Burst::kSmooth;
  Quota quota(limits);
  quota.Reserve({}, kStart);
  EXPECT_EQ(quota.ReadyAt({}, kStart), kStart + seconds(1));
  quota.Reserve({}, kStart + seconds(1));
  EXPECT_EQ(quota.ReadyAt({}, kStart + seconds(30)), kStart + seconds(30));
}

TEST(Quota, WindowsMayBeOtherThanAMinute) {
  LimitSet limits;
  limits.rpm = Limit{1, seconds(10)};
  limits.guard = {};
  Quota quota(limits);
  quota.Reserve({}, kStart);
  EXPECT_FALSE(quota.Fits({}, kStart + milliseconds(9'999)));
  EXPECT_TRUE(quota.Fits({}, kStart + seconds(10)));
}

TEST(Quota, DayLimitsOutlastTheMinute) {
  LimitSet limits;
  limits.rpd = 1;
  limits.guard = {};
  Quota quota(limits);
  quota.Reserve({}, kStart);
  EXPECT_EQ(quota.Check({}, kStart + hours(1))->limit, LimitKind::kRpd);
  EXPECT_EQ(quota.ReadyAt({}, kStart + hours(1)), kStart + hours(24));
}

TEST(Quota, NeverFitsNamesTheLimit) {
  LimitSet limits = Rpm(10);
  limits.otpm = Limit{50};
  limits.tpd = 1000;
  Quota quota(limits);
  EXPECT_FALSE(quota.NeverFits(Tokens(1000, 50)));
  EXPECT_EQ(quota.NeverFits(Tokens(1000, 51)), LimitKind::kOtpm);
  EXPECT_EQ(quota.NeverFits(Tokens(1001, 50)), LimitKind::kTpd);
}

TEST(Quota, ALimitOfNothingIsNeverFitAndLeavesNoHeadroom) {
  Quota none(Rpm(0));
  EXPECT_EQ(none.NeverFits({}), LimitKind::kRpm);
  EXPECT_EQ(none.Headroom(kStart), 0);
  LimitSet limits = Rpm(10);
  limits.max_in_flight = 0;
  EXPECT_EQ(Quota(limits).NeverFits({}), LimitKind::kInFlight);
  EXPECT_EQ(Quota(limits).Headroom(kStart), 0);
  limits.max_in_flight = 1;
  EXPECT_FALSE(Quota(limits).NeverFits({}));
  EXPECT_EQ(Quota(limits).Headroom(kStart), 1);
}

TEST(Quota, SaysOfEachLimitItsAmount) {
  LimitSet limits = Tpm(100);
  limits.rpd = 5;
  limits.max_in_flight = 3;
  const Quota quota(limits);
  EXPECT_EQ(quota.AmountOf(LimitKind::kTpm), 100);
  EXPECT_EQ(quota.AmountOf(LimitKind::kRpd), 5);
  EXPECT_EQ(quota.AmountOf(LimitKind::kInFlight), 3);
}

TEST(Quota, WithoutALimitOfRequestsThereIsNothingToSpendEvenly) {
  LimitSet limits = Tpm(100);
  limits.burst = Burst::kSmooth;
  Quota quota(limits);
  quota.Reserve(Tokens(50), kStart);
  EXPECT_TRUE(quota.Fits(Tokens(50), kStart));
  EXPECT_FALSE(quota.Fits(Tokens(51), kStart));
}

TEST(Quota, ADaysLimitThatIsNewDoesNotCountWhatWasReservedBeforeIt) {
  Quota quota(Rpm(10));
  const Reservation before = quota.Reserve(Tokens(70), kStart);
  LimitSet limits = Rpm(10);
  limits.tpd = 100;
  quota.SetLimits(limits, kStart);
  const Reservation after = quota.Reserve(Tokens(40), kStart);
  quota.Settle(before, Tokens(70), {}, kStart);
  EXPECT_EQ(quota.Day(LimitKind::kTpd)->Used(kStart), 40);
  quota.Settle(after, Tokens(30), {}, kStart);
  EXPECT_EQ(quota.Day(LimitKind::kTpd)->Used(kStart), 30);
}

TEST(Quota, ClearedDaysAreNotTakenBackTwice) {
  LimitSet limits;
  limits.tpd = 100;
  Quota quota(limits);
  const Reservation before = quota.Reserve(Tokens(70), kStart);
  quota.Clear();
  EXPECT_TRUE(quota.Fits(Tokens(100), kStart));
  quota.Reserve(Tokens(40), kStart);
  quota.Refund(before, kStart);
  EXPECT_EQ(quota.Day(LimitKind::kTpd)->Used(kStart), 40);
}

TEST(Quota, ARollingDayIsShownToFallWhenItsOldestUseLeaves) {
  LimitSet limits;
  limits.rpd = 10;
  limits.guard = {};
  Quota quota(limits);
  EXPECT_EQ(quota.Usage(kStart).rpd->resets_at, std::nullopt);
  quota.Reserve({}, kStart);
  EXPECT_EQ(quota.Usage(kStart + hours(1)).rpd->resets_at, kStart + hours(24));
}

TEST(Quota, ADayEndsWithTheProvidersClockAndTheGuard) {
  LimitSet limits;
  limits.rpd = 1;
  EXPECT_EQ(Quota(limits).DayEnd(kStart), kNever);
  limits.day_reset = [](Instant) { return kStart + hours(5); };
  EXPECT_EQ(Quota(limits).DayEnd(kStart), kStart + hours(5) + milliseconds(250));
  EXPECT_EQ(Quota(limits).DayEnd(kStart + hours(5)), kNever) << "it is not ahead";
}

TEST(Quota, AProviderThatSaysLessIsBelievedAndOneThatSaysMoreIsNot) {
  Quota quota(Rpm(10));
  quota.Reserve({}, kStart);
  quota.Correct({.requests = 20, .tokens = {}, .input_tokens = {}, .output_tokens = {}}, kStart);
  EXPECT_EQ(UsedOf(quota, LimitKind::kRpm, kStart), 1);
  quota.Correct({.requests = 3, .tokens = {}, .input_tokens = {}, .output_tokens = {}}, kStart);
  EXPECT_EQ(UsedOf(quota, LimitKind::kRpm, kStart), 7);
  quota.Correct({.requests = -5, .tokens = {}, .input_tokens = {}, .output_tokens = {}}, kStart);
  EXPECT_EQ(UsedOf(quota, LimitKind::kRpm, kStart), 10);
}

TEST(Quota, ClearedCountsAreNotTakenBackTwice) {
  Quota quota(Rpm(10));
  const Reservation before = quota.Reserve({}, kStart);
  quota.Clear();
  quota.Reserve({}, kStart);
  quota.Refund(before, kStart);
  EXPECT_EQ(UsedOf(quota, LimitKind::kRpm, kStart), 1);
  EXPECT_EQ(quota.in_flight(), 1);
}

TEST(Quota, ANewLimitDoesNotCountWhatWasReservedBeforeIt) {
  Quota quota(Rpm(10));
  const Reservation before = quota.Reserve(Tokens(70), kStart);
  LimitSet limits = Rpm(5);
  limits.tpm = Limit{100};
  quota.SetLimits(limits, kStart);
  quota.Reserve(Tokens(40), kStart);
  quota.Settle(before, Tokens(70), {}, kStart);
  EXPECT_EQ(UsedOf(quota, LimitKind::kTpm, kStart), 40);
  EXPECT_EQ(UsedOf(quota, LimitKind::kRpm, kStart), 2);
}

TEST(Quota, WhatAnEarlierRunSentIsRestored) {
  LimitSet limits = Rpm(2);
  limits.rpd = 10;
  Quota quota(limits);
  quota.RestoreAttempts({1}, kStart - seconds(50));
  quota.RestoreAttempts({1}, kStart - seconds(20));
  quota.RestoreDay({0, 0, 0, 0, 8}, kStart, kStart);
  EXPECT_EQ(quota.ReadyAt({}, kStart), kStart + seconds(10));
  EXPECT_EQ(quota.Day(LimitKind::kRpd)->Used(kStart), 8);
}

TEST(Quota, WhereTheJournalHasGapsTheMinuteWindowsCountAsFull) {
  LimitSet limits = Rpm(2);
  limits.rpd = 10;
  Quota quota(limits);
  quota.RestoreAttempts({1}, kStart - seconds(50));
  quota.RestoreFullWindows(kStart - seconds(20), kStart);
  EXPECT_EQ(UsedOf(quota, LimitKind::kRpm, kStart), 2);
  EXPECT_EQ(quota.Window(LimitKind::kTpm), nullptr);
  EXPECT_EQ(quota.Day(LimitKind::kRpd)->Used(kStart), 0);
  EXPECT_EQ(quota.ReadyAt({}, kStart), kStart + seconds(10));
  EXPECT_EQ(UsedOf(quota, LimitKind::kRpm, kStart + seconds(40)), 0);
}

// Never more than the limit in any window, whatever the order of reservations, settlements and
// refunds, and exactly as much as a naive count says.
TEST(QuotaFuzz, CountsLikeANaiveLedger) {
  struct Entry {
    Demand demand;
    Instant at;
  };
  std::mt19937_64 random(11);
  const auto below = [&](std::int64_t n) {
    return static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(n));
  };
  LimitSet limits = Rpm(7);
  limits.rpm->window = seconds(7);
  limits.tpm = Limit{400, seconds(11)};
  limits.itpm = Limit{300, seconds(5)};
  limits.counts = Counts::kInputAndOutput;
  limits.max_in_flight = 4;
  Quota quota(limits);
  std::map<int, Entry> ledger;
  std::vector<std::pair<int, Reservation>> open;
  Instant now = kStart;
  const auto naive = [&](LimitKind kind) {
    std::int64_t used = 0;
    for (const auto& [id, entry] : ledger) {
      if (entry.at + MinuteLimit(limits, kind)->window <= now) continue;
      used += CountAmounts(limits, entry.demand)[static_cast<std::size_t>(kind)];
    }
    return used;
  };
  for (int step = 0; step < 1'000'000; ++step) {
    now += milliseconds(below(400));
    std::erase_if(ledger, [&](const auto& one) { return one.second.at + seconds(30) < now; });
    const Demand demand = Tokens(below(120), below(40));
    const bool fits = quota.Fits(demand, now);
    const Amounts amounts = CountAmounts(limits, demand);
    bool expected = open.size() < 4;
    for (const LimitKind kind : {LimitKind::kRpm, LimitKind::kTpm, LimitKind::kItpm}) {
      ASSERT_EQ(UsedOf(quota, kind, now), naive(kind)) << step << Name(kind);
      expected = expected && naive(kind) + amounts[static_cast<std::size_t>(kind)] <=
                                 MinuteLimit(limits, kind)->amount;
    }
    ASSERT_EQ(fits, expected) << step;
    if (const Instant ready = quota.ReadyAt(demand, now); ready != kNever && !fits) {
      ASSERT_GT(ready, now);
      Quota later = quota;
      ASSERT_FALSE(later.Fits(demand, ready - Duration(1)));
      ASSERT_TRUE(later.Fits(demand, ready));
    }
    if (fits) {
      open.emplace_back(step, quota.Reserve(demand, now));
      ledger[step] = {demand, now};
    }
    if (!open.empty() && below(3) == 0) {
      const auto index = static_cast<std::size_t>(below(static_cast<std::int64_t>(open.size())));
      const auto [id, reservation] = open[index];
      open.erase(open.begin() + static_cast<std::ptrdiff_t>(index));
      if (below(4) == 0) {
        quota.Refund(reservation, now);
        ledger.erase(id);
      } else {
        const Demand used = Tokens(below(150), below(50));
        const Instant sent = std::min(now, reservation.at + milliseconds(below(300)));
        quota.Settle(reservation, used, sent, now);
        // What had left everywhere is not known to the ledger any more.
        if (sent + seconds(11) > now) ledger[id] = {used, sent};
      }
    }
    quota.SanityCheck();
  }
}

}  // namespace
}  // namespace requestrouter::policy
