#include "daemon/policy/health.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/policy/support.h"

namespace requestrouter::policy {
namespace {

using Kind = Health::Event::Kind;

Health::Event Cool(Duration base, Duration cap = minutes(15), std::string reason = "429") {
  return {.kind = Kind::kCool,
          .base = base,
          .cap = cap,
          .reason = std::move(reason),
          .source = "default"};
}
Health::Event Failed() {
  return {.kind = Kind::kFailed,
          .base = seconds(1),
          .cap = seconds(30),
          .reason = "5xx",
          .source = "status"};
}
Health::Event Of(Kind kind) { return {.kind = kind}; }

TEST(Health, ACooldownEndsAtItsInstant) {
  Health health;
  health.Ended(health.Admit(kStart), Cool(seconds(30)), kStart);
  EXPECT_EQ(health.state(kStart), KeyStateName::kCooling);
  EXPECT_FALSE(health.Usable(kStart + milliseconds(29'999)));
  EXPECT_TRUE(health.Usable(kStart + seconds(30)));
  EXPECT_EQ(health.state(kStart + seconds(30)), KeyStateName::kTrial);
}

TEST(Health, OneAttemptAtATimeTriesACooledKey) {
  Health health;
  health.Ended(health.Admit(kStart), Cool(seconds(30)), kStart);
  const Instant now = kStart + seconds(30);
  const auto trial = health.Admit(now);
  EXPECT_TRUE(trial.trial);
  EXPECT_FALSE(health.Usable(now));
  EXPECT_EQ(health.UsableAt(now), kNever);
  health.Ended(trial, Of(Kind::kNoVerdict), now);
  EXPECT_TRUE(health.Usable(now));
  health.Ended(health.Admit(now), Of(Kind::kSucceeded), now);
  EXPECT_EQ(health.state(now), KeyStateName::kReady);
}

TEST(Health, TheLaterExpiryStandsWithItsReason) {
  Health health;
  const auto a = health.Admit(kStart), b = health.Admit(kStart), c = health.Admit(kStart);
  EXPECT_TRUE(health.Ended(a, Cool(seconds(30), {}, "first"), kStart));
  EXPECT_FALSE(health.Ended(b, Cool(seconds(10), {}, "shorter"), kStart));
  EXPECT_EQ(health.cooldown().until, kStart + seconds(30));
  EXPECT_EQ(health.cooldown().reason, "first");
  EXPECT_TRUE(health.Ended(c, Cool(seconds(50), {}, "longer"), kStart));
  EXPECT_EQ(health.cooldown().until, kStart + seconds(50));
  EXPECT_EQ(health.cooldown().reason, "longer");
}

TEST(Health, ABurstOfRefusalsIsNoRepetition) {
  Health health;
  std::vector<Health::Pass> passes;
  for (int i = 0; i < 5; ++i) passes.push_back(health.Admit(kStart));
  for (const auto& pass : passes) health.Ended(pass, Cool(seconds(60)), kStart);
  EXPECT_EQ(health.cooldown().until, kStart + seconds(60));
  EXPECT_EQ(health.cooldown().strikes, 1);
}

TEST(Health, EachFailedTrialDoublesTheCooldownUpToItsCap) {
  Health health;
  Instant now = kStart;
  health.Ended(health.Admit(now), Cool(seconds(60), minutes(3)), now);
  for (const Duration expected :
       {Duration(seconds(120)), Duration(minutes(3)), Duration(minutes(3))}) {
    now = health.cooldown().until;
    health.Ended(health.Admit(now), Cool(seconds(60), minutes(3)), now);
    EXPECT_EQ(health.cooldown().until, now + expected);
  }
  // A success starts anew.
  now = health.cooldown().until;
  health.Ended(health.Admit(now), Of(Kind::kSucceeded), now);
  health.Ended(health.Admit(now), Cool(seconds(60), minutes(3)), now);
  EXPECT_EQ(health.cooldown().until, now + seconds(60));
}

TEST(Health, FailuresCoolOnlyAfterThreeInARow) {
  Health health;
  health.Ended(health.Admit(kStart), Failed(), kStart);
  health.Ended(health.Admit(kStart), Failed(), kStart);
  health.Ended(health.Admit(kStart), Of(Kind::kSucceeded), kStart);
  health.Ended(health.Admit(kStart), Failed(), kStart);
  health.Ended(health.Admit(kStart), Failed(), kStart);
  EXPECT_EQ(health.state(kStart), KeyStateName::kReady);
  health.Ended(health.Admit(kStart), Failed(), kStart);
  EXPECT_EQ(health.cooldown().until, kStart + seconds(1));
}

TEST(Health, FailingTrialsCoolFromOneSecondToThirty) {
  Health health;
  Instant now = kStart;
  for (int i = 0; i < 3; ++i) health.Ended(health.Admit(now), Failed(), now);
  for (const int expected : {2, 4, 8, 16, 30, 30}) {
    now = health.cooldown().until;
    health.Ended(health.Admit(now), Failed(), now);
    EXPECT_EQ(health.cooldown().until - now, seconds(expected));
  }
}

TEST(Health, ALateSuccessDoesNotEndACooldown) {
  Health health;
  const auto early = health.Admit(kStart), other = health.Admit(kStart);
  health.Ended(early, Cool(seconds(30)), kStart);
  health.Ended(other, Of(Kind::kSucceeded), kStart);
  EXPECT_EQ(health.state(kStart), KeyStateName::kCooling);
}

TEST(Health, ADisabledKeyStaysSoUntilReset) {
  Health health;
  health.Ended(health.Admit(kStart), Of(Kind::kDisable), kStart);
  EXPECT_EQ(health.UsableAt(kStart + hours(1000)), kNever);
  health.Reset();
  EXPECT_TRUE(health.Usable(kStart));
}

TEST(Health, ACooldownDoesNotEnableADisabledKey) {
  Health health;
  const auto early = health.Admit(kStart);
  health.Ended(health.Admit(kStart), Of(Kind::kDisable), kStart);
  EXPECT_FALSE(health.Ended(early, Cool(seconds(30)), kStart));
  EXPECT_EQ(health.state(kStart + seconds(30)), KeyStateName::kDisabled);
  EXPECT_FALSE(health.Usable(kStart + seconds(30)));
}

TEST(Health, ALateRefusalDoesNotDisableANewSecret) {
  Health health;
  const auto first = health.Admit(kStart), second = health.Admit(kStart);
  EXPECT_TRUE(health.Ended(first, Of(Kind::kDisable), kStart));
  health.Reset();  // another secret is there
  EXPECT_FALSE(health.Ended(second, Of(Kind::kDisable), kStart));
  EXPECT_EQ(health.state(kStart), KeyStateName::kReady);
  EXPECT_TRUE(health.Ended(health.Admit(kStart), Of(Kind::kDisable), kStart));
  EXPECT_EQ(health.state(kStart), KeyStateName::kDisabled) << "the new one is refused, too";
}

TEST(Health, ALateRefusalAfterACooldownOrASuccessDisables) {
  Health health;
  const auto early = health.Admit(kStart);
  health.Ended(health.Admit(kStart), Cool(seconds(1)), kStart);
  const Instant now = kStart + seconds(1);
  health.Ended(health.Admit(now), Of(Kind::kSucceeded), now);
  EXPECT_TRUE(health.Ended(early, Of(Kind::kDisable), now));
}

TEST(Health, ATrialOfTheOldSecretThatIsRefusedLetsAnotherDecide) {
  Health health;
  health.Ended(health.Admit(kStart), Cool(seconds(1)), kStart);
  const Instant now = kStart + seconds(1);
  const auto trial = health.Admit(now);
  health.Renew();
  EXPECT_TRUE(health.Ended(trial, Of(Kind::kDisable), now));
  EXPECT_TRUE(health.Admit(now).trial);
}

TEST(Health, SurvivesARestart) {
  Health health;
  health.Restore(KeyStateName::kCooling, {kStart + seconds(40), "429", "RetryInfo", 2}, kStart);
  EXPECT_FALSE(health.Usable(kStart + milliseconds(39'999)));
  const Instant now = kStart + seconds(40);
  health.Ended(health.Admit(now), Cool(seconds(60)), now);
  EXPECT_EQ(health.cooldown().until, now + seconds(240));  // a third strike
  Health disabled;
  disabled.Restore(KeyStateName::kDisabled, {kNever, "401", "status", 0}, kStart);
  EXPECT_TRUE(disabled.Admit(kStart).trial);
}

// A naive keeper of the rules that outlive single transitions.
TEST(Health, WhatHadNoSecretIsReadyAfterARestart) {
  Health health;
  health.Restore(KeyStateName::kNoSecret, {}, kStart);
  EXPECT_EQ(health.state(kStart), KeyStateName::kReady);
}

TEST(HealthFuzz, KeepsItsPromises) {
  std::mt19937_64 random(3);
  const auto below = [&](std::uint64_t n) { return random() % n; };
  Health health;
  std::vector<Health::Pass> open;
  Instant now = kStart;
  std::size_t trials = 0;
  for (int step = 0; step < 1'000'000; ++step) {
    now += milliseconds(below(2000));
    const KeyStateName before = health.state(now);
    const Instant until = health.cooldown().until;
    if (health.Usable(now) && open.size() < 8) {
      open.push_back(health.Admit(now));
      trials += open.back().trial;
    } else if (!open.empty()) {
      const auto index = below(open.size());
      const Health::Pass pass = open[index];
      open.erase(open.begin() + static_cast<std::ptrdiff_t>(index));
      const bool trial_was_on = health.UsableAt(now) == kNever && before == KeyStateName::kTrial;
      const auto kind = static_cast<Kind>(below(4));
      Health::Event event = kind == Kind::kCool ? Cool(seconds(below(60))) : Failed();
      event.kind = kind;
      health.Ended(pass, event, now);
      trials -= pass.trial;
      const KeyStateName after = health.state(now);
      if (before == KeyStateName::kCooling) {
        ASSERT_EQ(after, KeyStateName::kCooling) << "only time ends a cooldown";
        ASSERT_GE(health.cooldown().until, until) << "and nothing shortens it";
      }
      if (trial_was_on && !pass.trial) {
        ASSERT_EQ(health.UsableAt(now), kNever) << "only the trial decides";
      }
      if (kind == Kind::kNoVerdict && before == KeyStateName::kReady) {
        ASSERT_EQ(after, KeyStateName::kReady);
      }
    }
    ASSERT_LE(trials, 1U) << "one trial at a time";
    ASSERT_LT(health.failures(), Health::kFailuresThatCool + 8);
    if (below(5000) == 0) {
      health.Reset();
      ASSERT_TRUE(health.Usable(now));
      open.clear();
      trials = 0;
    }
  }
}

}  // namespace
}  // namespace requestrouter::policy
