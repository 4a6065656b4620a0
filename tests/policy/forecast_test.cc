#include "daemon/policy/forecast.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/policy/support.h"

namespace requestrouter::policy {
namespace {

Amounts Requests(std::int64_t n) { return {n, 0, 0, 0, n, 0}; }

Choices Everything(const KeyPool& pool) {
  Choices all;
  for (std::uint32_t i = 0; i < pool.model_count(); ++i) all.push_back({i, Choice::kAnyTier});
  return all;
}

TEST(Forecast, WithoutLimitsEverythingGoesNow) {
  KeyPool pool(1);
  pool.Configure(ConfigOf({KeyFor("a", "flash", {})}), kStart);
  EXPECT_EQ(Forecast(pool, Everything(pool), kStart).When(Requests(1'000'000)), kStart);
}

TEST(Forecast, BeyondAHundredThousandWindowsNothingIsKnown) {
  KeyPool pool(1);
  pool.Configure(ConfigOf({KeyFor("a", "flash", Rpm(1))}), kStart);
  const Forecast forecast(pool, Everything(pool), kStart);
  EXPECT_EQ(forecast.When(Requests(100'001)), kStart + 100'000 * seconds(60));
  EXPECT_EQ(forecast.When(Requests(100'002)), kNever);
}

TEST(Forecast, WithoutKeysNothingIsKnown) {
  KeyPool pool(1);
  EXPECT_EQ(Forecast(pool, {}, kStart).When(Requests(1)), kNever);
}

TEST(Forecast, ADisabledKeyGivesNothing) {
  KeyPool pool(1);
  pool.Configure(ConfigOf({KeyFor("a", "flash", Rpm(1))}), kStart);
  pool.SetEnabled("a", false, kStart);
  EXPECT_EQ(Forecast(pool, Everything(pool), kStart).When(Requests(1)), kNever);
}

TEST(Forecast, AQuotaSharedByTwoKeysCountsOnce) {
  KeySpec a = KeyFor("a", "flash", Rpm(1)), b = KeyFor("b", "flash", Rpm(1));
  a.quota_group = b.quota_group = "project";
  KeyPool pool(1);
  pool.Configure(ConfigOf({a, b}), kStart);
  EXPECT_EQ(Forecast(pool, Everything(pool), kStart).When(Requests(2)), kStart + seconds(60));
}

TEST(Forecast, AnExhaustedDayIsOverTomorrow) {
  LimitSet limits = Rpm(10);
  limits.rpd = 3;
  limits.day_reset = [](Instant) { return kStart + hours(5); };
  KeyPool pool(1);
  pool.Configure(ConfigOf({KeyFor("a", "flash", limits)}), kStart);
  EXPECT_EQ(Forecast(pool, Everything(pool), kStart).When(Requests(3)), kStart);
  EXPECT_EQ(Forecast(pool, Everything(pool), kStart).When(Requests(4)), kStart + hours(5));
}

TEST(Forecast, AnExhaustedDayOfTokensIsOverTomorrow) {
  LimitSet limits;
  limits.tpd = 300;
  limits.counts = Counts::kInputAndOutput;
  limits.day_reset = [](Instant) { return kStart + hours(5); };
  limits.guard = {};
  KeyPool pool(1);
  pool.Configure(ConfigOf({KeyFor("a", "flash", limits)}), kStart);
  const auto tokens = [](std::int64_t n) { return Amounts{1, n, 0, 0, 1, n}; };
  EXPECT_EQ(Forecast(pool, Everything(pool), kStart).When(tokens(300)), kStart);
  EXPECT_EQ(Forecast(pool, Everything(pool), kStart).When(tokens(301)), kStart + hours(5));
}

TEST(Forecast, AKeyWithoutADaysLimitOfTokensKeepsTheOthersFromCounting) {
  LimitSet limits;
  limits.tpd = 300;
  limits.day_reset = [](Instant) { return kStart + hours(5); };
  KeyPool pool(1);
  pool.Configure(ConfigOf({KeyFor("a", "flash", limits), KeyFor("b", "flash", {})}), kStart);
  EXPECT_EQ(Forecast(pool, Everything(pool), kStart).When({1, 0, 0, 0, 1, 301}), kStart);
}

// The n-th request of a backlog really goes when the forecast says.
TEST(Forecast, IsExactForEqualRequests) {
  std::mt19937_64 random(9);
  for (int round = 0; round < 50; ++round) {
    Config config = ConfigOf({});
    for (int key = 0; key < 3; ++key) {
      config.keys.push_back(
          KeyFor(std::to_string(key), "flash", Rpm(1 + static_cast<std::int64_t>(random() % 5))));
    }
    Host host(config);
    for (int i = 0; i < 6; ++i) {  // some history
      host.SendAndSucceed("flash");
      host.Pass(seconds(random() % 20));
    }
    std::vector<Instant> forecast;
    for (int i = 0; i < 30; ++i) {
      const Ask ask = host.AskFor("flash");
      host.Enter(ask);
      forecast.push_back(host.now + *host.dispatcher.StandingOf(ask.ticket, host.now)->eta);
    }
    const std::uint64_t first = host.last_ticket - 29;
    for (int served = 0; served < 30;) {
      if (const auto grant = host.Next()) {
        ASSERT_EQ(grant->ticket, first + static_cast<std::uint64_t>(served));
        ASSERT_EQ(host.now, forecast[static_cast<std::size_t>(served)]) << served;
        host.Finish(grant->ticket);
        ++served;
      } else {
        ASSERT_GT(host.dispatcher.NextDeadline(host.now), host.now);
        host.now = host.dispatcher.NextDeadline(host.now);
      }
    }
  }
}

}  // namespace
}  // namespace requestrouter::policy
