#include "tests/support/sim/limits.h"

#include <gtest/gtest.h>

namespace requestrouter::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const Instant kStart{seconds(1000)};

LimitSet Only(Limit limit, std::int64_t value) {
  LimitSet limits;
  limits[limit] = value;
  return limits;
}

TEST(Window, HoldsItsLimitAndNotOneMore) {
  Window window(3, seconds(60));
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(window.Fits(1, kStart));
    window.Take(1, kStart);
  }
  EXPECT_FALSE(window.Fits(1, kStart));
}

TEST(Window, CountsWhatWasTakenUntilItsLengthHasPassedAndNotAtThatInstant) {
  Window window(1, seconds(60));
  window.Take(1, kStart);
  EXPECT_FALSE(window.Fits(1, kStart + seconds(60) - milliseconds(1)));
  EXPECT_TRUE(window.Fits(1, kStart + seconds(60)));
}

TEST(Window, SlidesInsteadOfBeginningAnewEachMinute) {
  Window window(2, seconds(60));
  window.Take(1, kStart + seconds(59));
  window.Take(1, kStart + seconds(61));
  EXPECT_FALSE(window.Fits(1, kStart + seconds(90)));
  EXPECT_TRUE(window.Fits(1, kStart + seconds(119)));
  EXPECT_FALSE(window.Fits(2, kStart + seconds(120)));
  EXPECT_TRUE(window.Fits(2, kStart + seconds(121)));
}

TEST(Window, KnowsWhenEnoughOfItWillBeFree) {
  Window window(10, seconds(60));
  window.Take(4, kStart);
  window.Take(6, kStart + seconds(10));
  EXPECT_EQ(window.FitsAt(4, kStart + seconds(20)), kStart + seconds(60));
  EXPECT_EQ(window.FitsAt(5, kStart + seconds(20)), kStart + seconds(70));
  EXPECT_EQ(window.FitsAt(11, kStart + seconds(20)), std::nullopt);
}

TEST(Quota, ARefusedRequestTakesNothing) {
  LimitSet limits = Only(Limit::kRpm, 2);
  limits[Limit::kTpm] = 100;
  Quota quota(limits);
  Cost large;
  large.input = 101;
  ASSERT_TRUE(quota.Take(large, kStart));
  Cost fitting;
  fitting.input = 50;
  EXPECT_FALSE(quota.Take(fitting, kStart));
  EXPECT_FALSE(quota.Take(fitting, kStart));
}

TEST(Quota, NamesEveryLimitThatRefusedAndWhenTheLastOfThemWouldNot) {
  LimitSet limits = Only(Limit::kRpm, 1);
  limits[Limit::kRpd] = 1;
  limits[Limit::kTpm] = 100;
  Quota quota(limits);
  ASSERT_FALSE(quota.Take({}, kStart));
  const auto refusal = quota.Take({}, kStart + seconds(1));
  ASSERT_TRUE(refusal);
  ASSERT_EQ(refusal->violations.size(), 2u);
  EXPECT_EQ(refusal->violations[0].limit, Limit::kRpm);
  EXPECT_EQ(refusal->violations[1].limit, Limit::kRpd);
  EXPECT_EQ(refusal->retry_after, std::chrono::hours(24) - seconds(1));
}

TEST(Quota, CountsTokensAsTheProviderDoes) {
  Cost cost;
  cost.input = 60;
  cost.output = 40;
  cost.max_output = 41;
  const auto refused = [&](Counts counts) {
    Quota quota(Only(Limit::kTpm, 100));
    cost.counts = counts;
    return quota.Take(cost, kStart).has_value();
  };
  EXPECT_FALSE(refused(Counts::kInput));
  EXPECT_FALSE(refused(Counts::kInputAndOutput));
  EXPECT_TRUE(refused(Counts::kInputAndMaxOutput));
}

TEST(Quota, CachedInputIsFreeOfTheLimitOnInputTokens) {
  Quota quota(Only(Limit::kInputTpm, 10));
  Cost cost;
  cost.input = 100;
  cost.cached = 90;
  EXPECT_FALSE(quota.Take(cost, kStart));
  cost.cached = 89;
  EXPECT_TRUE(quota.Take(cost, kStart + seconds(60)));
}

TEST(Quota, AChangedLimitKeepsWhatWasTaken) {
  Quota quota(Only(Limit::kRpm, 5));
  ASSERT_FALSE(quota.Take({}, kStart));
  ASSERT_FALSE(quota.Take({}, kStart));
  quota.Change(Only(Limit::kRpm, 2));
  EXPECT_TRUE(quota.Take({}, kStart));
  quota.Change(Only(Limit::kRpm, 3));
  EXPECT_FALSE(quota.Take({}, kStart));
}

}  // namespace
}  // namespace requestrouter::sim
