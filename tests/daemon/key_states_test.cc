#include "daemon/router/key_states.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/router/day_reset.h"
#include "tests/daemon/fakes.h"

namespace requestrouter::router {
namespace {

constexpr std::int64_t kRpm = 5;

class RestoreQuotaTest : public ::testing::Test {
 protected:
  static config::Config OneKey() {
    config::Config config;
    config::Key key;
    key.key_id = "k1";
    key.provider = "gemini";
    key.quota_group = "group";
    config::ModelOfKey model;
    model.name = "flash";
    model.limits.rpm = policy::Limit{kRpm};
    key.models.push_back(model);
    config.keys = {key};
    config.providers["gemini"] = {};
    return config;
  }
  // A daemon that starts with what an earlier one has left.
  std::unique_ptr<policy::Dispatcher> Start(const storage::Recovered& recovered,
                                            const config::Config& config = OneKey()) {
    const Catalog catalog(config, {{"k1", std::make_shared<const secrets::Secret>("secret")}});
    auto dispatcher = std::make_unique<policy::Dispatcher>(catalog.ToPolicy(clock_), 1);
    RestoreQuota(recovered, catalog, clock_, *dispatcher);
    return dispatcher;
  }
  std::int64_t UsedAfter(const storage::Recovered& recovered, policy::Instant now) {
    return Start(recovered)->Keys(now).at(0).usage.at(0).rpm->used;
  }
  storage::Recovered OneAttempt(std::chrono::seconds ago) const {
    storage::UnknownAttempt attempt;
    attempt.opened.quota_group = "group";
    attempt.opened.model = "flash";
    attempt.opened.at = clock_.Wall() - std::chrono::milliseconds(ago).count();
    storage::Recovered recovered;
    recovered.unknown.push_back(attempt);
    return recovered;
  }

  FakeClock clock_;
};

TEST_F(RestoreQuotaTest, AnAttemptWithoutAnEndCountsFromWhenItWasMade) {
  const policy::Instant now = clock_.Steady();
  EXPECT_EQ(UsedAfter(OneAttempt(std::chrono::seconds(30)), now), 1);
  EXPECT_EQ(UsedAfter(OneAttempt(std::chrono::seconds(30)), now + std::chrono::seconds(31)), 0);
  EXPECT_EQ(UsedAfter(OneAttempt(std::chrono::seconds(70)), now), 0);
}

// When in that second they were sent is not known.
TEST_F(RestoreQuotaTest, TheAttemptsOfASecondCountFromItsEnd) {
  storage::Recovered recovered;
  recovered.seconds.push_back({"group", "flash", clock_.Wall() - 30'000, 3, 30, 15});
  const policy::Instant now = clock_.Steady();
  EXPECT_EQ(UsedAfter(recovered, now), 3);
  EXPECT_EQ(UsedAfter(recovered, now + std::chrono::milliseconds(30'500)), 3);
  EXPECT_EQ(UsedAfter(recovered, now + std::chrono::seconds(32)), 0);
}

TEST_F(RestoreQuotaTest, ARollingDayGoesOnWhereItWas) {
  config::Config config = OneKey();
  config.providers["gemini"].day_reset = config::DayReset::kRolling24h;
  policy::LimitSet& limits = config.keys[0].models[0].limits;
  limits.rpd = 100;
  limits.guard = {};
  const storage::Millis now = clock_.Wall();
  storage::Recovered recovered;
  recovered.seconds_from = now - 600'000;
  for (const auto ago : {std::chrono::minutes(24 * 60 + 1), std::chrono::minutes(24 * 60),
                         std::chrono::minutes(23 * 60)}) {
    const storage::Millis start = now - std::chrono::milliseconds(ago).count();
    recovered.minutes.push_back({"group", "flash", start, 3});
  }
  const auto dispatcher = Start(recovered, config);
  const auto used = [&](std::chrono::milliseconds later) {
    return dispatcher->Keys(clock_.Steady() + later).at(0).usage.at(0).rpd->used;
  };
  EXPECT_EQ(used({}), 6) << "in the minute that straddles the edge some may count still";
  EXPECT_EQ(used(std::chrono::minutes(1)), 3);
  EXPECT_EQ(used(std::chrono::minutes(61) - std::chrono::milliseconds(1)), 3);
  EXPECT_EQ(used(std::chrono::minutes(61)), 0);
}

TEST_F(RestoreQuotaTest, ADayThatEndsAtMidnightCountsFromItsBeginning) {
  config::Config config = OneKey();
  config.providers["gemini"].day_reset = config::DayReset::kUtcMidnight;
  config.keys[0].models[0].limits.rpd = 100;
  const storage::Millis midnight = DayStart(config::DayReset::kUtcMidnight, clock_.Wall());
  storage::Recovered recovered;
  recovered.minutes.push_back({"group", "flash", midnight - 60'000, 3});
  recovered.minutes.push_back({"group", "flash", midnight, 5});
  EXPECT_EQ(Start(recovered, config)->Keys(clock_.Steady()).at(0).usage.at(0).rpd->used, 5);
}

TEST_F(RestoreQuotaTest, AWindowOfAnHourKnowsMoreThanTheSeconds) {
  config::Config config = OneKey();
  config.keys[0].models[0].limits.rpm = policy::Limit{100, std::chrono::hours(1)};
  config.keys[0].models[0].limits.guard = {};
  const storage::Millis now = clock_.Wall();
  storage::Recovered recovered;
  recovered.seconds_from = now - 600'000;
  recovered.seconds.push_back({"group", "flash", now - 1'000, 1});
  recovered.minutes.push_back({"group", "flash", now - 3'600'000, 8});
  recovered.minutes.push_back({"group", "flash", now - 1'800'000, 4});
  recovered.minutes.push_back({"group", "flash", now - 60'000, 1});     // that of the seconds
  recovered.unknown = OneAttempt(std::chrono::seconds(1'800)).unknown;  // in the minutes, too
  const auto dispatcher = Start(recovered, config);
  const auto used = [&](std::chrono::milliseconds later) {
    return dispatcher->Keys(clock_.Steady() + later).at(0).usage.at(0).rpm->used;
  };
  EXPECT_EQ(used({}), 13);
  EXPECT_EQ(used(std::chrono::minutes(1)), 5);
  EXPECT_EQ(used(std::chrono::minutes(31)), 1);
}

TEST_F(RestoreQuotaTest, TheAttemptsOfThisSecondCountFromNow) {
  storage::Recovered recovered;
  recovered.seconds.push_back({"group", "flash", clock_.Wall(), 1, 10, 5});
  EXPECT_EQ(UsedAfter(recovered, clock_.Steady()), 1);
}

// Without knowing the provider's rule: input and output of each attempt are not known any more.
TEST_F(RestoreQuotaTest, OfTokensAsManyCountAsTheProviderCounts) {
  config::Config config = OneKey();
  policy::LimitSet& limits = config.keys[0].models[0].limits;
  limits.tpm = limits.itpm = limits.otpm = policy::Limit{10'000};
  limits.tpd = 100'000;
  limits.counts = policy::Counts::kInputAndMaxOutput;
  storage::Recovered recovered = OneAttempt(std::chrono::seconds(30));
  recovered.unknown[0].opened.input_tokens = 10;
  recovered.unknown[0].opened.output_tokens = 5;
  recovered.unknown[0].opened.counted_tokens = 510;
  recovered.seconds.push_back({"group", "flash", clock_.Wall() - 30'000, 3, 30, 15, 1'530});
  recovered.minutes.push_back({"group", "flash", clock_.Wall() - 30'000, 4, 40, 20, 2'040});
  const policy::ModelUsage usage = Start(recovered, config)->Keys(clock_.Steady())[0].usage[0];
  EXPECT_EQ(usage.tpm->used, 2'040);
  EXPECT_EQ(usage.itpm->used, 40);
  EXPECT_EQ(usage.otpm->used, 20);
  EXPECT_EQ(usage.tpd->used, 2'040);
}

TEST_F(RestoreQuotaTest, TheCooldownOfAModelsQuotaIsFoundAgainAndTheKeyIsReady) {
  config::Config config = OneKey();
  config.keys[0].models.push_back(config.keys[0].models[0]);
  config.keys[0].models[1].name = "pro";
  policy::KnownHealth known{"quota/group pro", policy::KeyStateName::kCooling, {}};
  known.cooldown = {clock_.Steady() + std::chrono::hours(5), "day", "QuotaFailure", 2};
  storage::Recovered recovered;
  recovered.keys = {ToStored(known, clock_)};
  const policy::KeyStatus status = Start(recovered, config)->Keys(clock_.Steady()).at(0);
  EXPECT_EQ(status.state, policy::KeyStateName::kReady);
  ASSERT_EQ(status.model_cooldowns.size(), 1u);
  EXPECT_EQ(status.model_cooldowns[0].model, "pro");
  EXPECT_EQ(status.model_cooldowns[0].cooldown.until, known.cooldown.until);
  EXPECT_EQ(status.model_cooldowns[0].cooldown.strikes, 2);
}

TEST_F(RestoreQuotaTest, AKeyThatAnOperatorDisabledIsDisabledThoughItWasFine) {
  policy::KnownHealth known{"k1", policy::KeyStateName::kReady, {}, true};
  storage::Recovered recovered;
  recovered.keys = {ToStored(known, clock_)};
  const policy::KeyStatus status = Start(recovered)->Keys(clock_.Steady()).at(0);
  EXPECT_EQ(status.state, policy::KeyStateName::kDisabled);
  EXPECT_TRUE(status.disabled_by_operator);
}

TEST_F(RestoreQuotaTest, AfterAPowerCutTheWindowsAreFullUntilAMinuteAfterTheMachineStarted) {
  clock_.StartMachine();
  clock_.Advance(std::chrono::seconds(20));
  storage::Recovered recovered = OneAttempt(std::chrono::seconds(1));
  recovered.unclean = true;
  EXPECT_EQ(UsedAfter(recovered, clock_.Steady()), 1) << "the same boot: the log is whole";
  recovered.other_boot = true;
  recovered.unknown.clear();
  EXPECT_EQ(UsedAfter(recovered, clock_.Steady()), kRpm);
  EXPECT_EQ(UsedAfter(recovered, policy::Instant{} + std::chrono::seconds(61)), 0);
  recovered.unclean = false;
  EXPECT_EQ(UsedAfter(recovered, clock_.Steady()), 0) << "a clean stop has synced everything";
}

}  // namespace
}  // namespace requestrouter::router
