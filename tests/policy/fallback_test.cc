#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/policy/key_pool.h"
#include "tests/policy/support.h"

// Tiers, fallback, explanations, caller limits, reload and restart.
namespace requestrouter::policy {
namespace {

// As in the examples: two flash keys for light work, one pro key for heavy work.
Config Examples() {
  KeySpec one = KeyFor("flash-1", "flash", Rpm(2)), two = KeyFor("flash-2", "flash", Rpm(2));
  KeySpec pro = KeyFor("pro-1", "pro", Rpm(5));
  one.tier = two.tier = Tier::kLight;
  one.priority = 1;
  pro.tier = Tier::kHeavy;
  pro.priority = 1;
  Config config = ConfigOf({one, two, pro});
  config.light_models = {"old-flash", "flash"};
  config.medium_models = {"older-flash", "old-flash"};
  config.heavy_models = {"pro", "old-pro"};
  return config;
}

class Examples_ : public ::testing::Test {
 protected:
  std::optional<Grant> Send(Ask ask) {
    refusal_ = host_.Enter(ask);
    return host_.Next();
  }
  Ask AskTier(Tier tier, std::int64_t tokens = 0, bool fallback = false) {
    Ask ask = host_.AskFor("", tokens);
    ask.tier = tier;
    ask.allow_fallback = fallback;
    return ask;
  }
  Host host_{Examples()};
  std::optional<Refusal> refusal_;
};
using Tiers = Examples_;
using Fallback = Examples_;

TEST_F(Tiers, TheMappingDecides) {
  EXPECT_EQ(Send(AskTier(Tier::kLight))->key_id, "flash-1");
  EXPECT_EQ(Send(AskTier(Tier::kHeavy))->model, "pro");
}

TEST_F(Tiers, ATierThatNoKeyServesIsTakenFromTheNearestTheLighterOneFirst) {
  const auto grant = Send(AskTier(Tier::kMedium));
  EXPECT_EQ(grant->model, "flash");
  EXPECT_FALSE(grant->fallback);  // no model was named
}

TEST(Workload, OfAKeyIsTheTierThatItsModelAnswersFor) {
  std::vector<KeySpec> keys;
  for (const Tier tier : kTiers) {
    const std::string name(kTierNames.at(keys.size()));
    keys.push_back(KeyFor(name, "model-" + name, Rpm(9)));
    keys.back().tier = tier;
  }
  Host host(ConfigOf(keys));
  for (const Tier tier : kTiers) {
    Ask ask = host.AskFor("");
    ask.tier = tier;
    ASSERT_FALSE(host.Enter(ask));
    EXPECT_EQ(host.Next()->key_id, kTierNames.at(static_cast<std::size_t>(tier)));
  }
}

TEST_F(Tiers, AutoChoosesBySize) {
  EXPECT_EQ(Send(AskTier(Tier::kAuto, 3'999))->model, "flash");
  EXPECT_EQ(Send(AskTier(Tier::kAuto, 31'999))->model, "flash");
  EXPECT_EQ(Send(AskTier(Tier::kAuto, 32'000))->model, "pro");
}

TEST_F(Tiers, SmallWorkDoesNotSpendAProKeyWhileFlashHasRoom) {
  for (int i = 0; i < 4; ++i) EXPECT_EQ(Send(AskTier(Tier::kLight, 0, true))->model, "flash");
  // Flash is full for a minute: now it may.
  EXPECT_EQ(Send(AskTier(Tier::kLight, 0, true))->model, "pro");
  EXPECT_FALSE(Send(AskTier(Tier::kLight, 0, false)));
}

TEST_F(Fallback, AModelThatNoKeyServesIsReplacedByOneOfItsTier) {
  Ask ask = host_.AskFor("old-pro");
  EXPECT_FALSE(Send(ask));
  EXPECT_EQ(refusal_->reason, RefusalReason::kNoSuchModel);
  ask.allow_fallback = true;
  const auto grant = Send(ask);
  EXPECT_EQ(grant->model, "pro");
  EXPECT_TRUE(grant->fallback);
}

TEST_F(Fallback, AnUnknownModelIsReplacedByWhatAutoWouldChoose) {
  Ask ask = host_.AskFor("never-heard-of");
  ask.allow_fallback.reset();  // as configured
  EXPECT_EQ(Send(ask)->model, "flash");
}

TEST_F(Fallback, IsUsedInsteadOfWaitingOnlyIfItSavesEnough) {
  for (int i = 0; i < 5; ++i) ASSERT_EQ(Send(host_.AskFor("pro"))->model, "pro");
  host_.Pass(seconds(55));
  Ask ask = host_.AskFor("pro");
  ask.allow_fallback = true;
  EXPECT_FALSE(Send(ask));  // 5 s would be saved, more is asked for
  host_.dispatcher.Leave(ask.ticket, host_.now);
  host_.now -= Duration(1);
}

TEST_F(Fallback, IsUsedWhereItSavesMore) {
  for (int i = 0; i < 5; ++i) ASSERT_EQ(Send(host_.AskFor("pro"))->model, "pro");
  host_.Pass(seconds(55) - Duration(1));
  Ask ask = host_.AskFor("pro");
  ask.allow_fallback = true;
  const auto grant = Send(ask);
  ASSERT_TRUE(grant);
  EXPECT_EQ(grant->model, "flash");
  EXPECT_TRUE(grant->fallback);
}

TEST_F(Fallback, ThoseFarBackInTheLineNeedNotWaitForTheHead) {
  for (int i = 0; i < 5; ++i) ASSERT_EQ(Send(host_.AskFor("pro"))->model, "pro");
  host_.Pass(seconds(57));
  std::vector<std::uint64_t> tickets;
  for (int i = 0; i < 7; ++i) {
    Ask ask = host_.AskFor("pro");
    ask.allow_fallback = true;
    ask.agent = std::to_string(i);
    host_.Enter(ask);
    tickets.push_back(ask.ticket);
  }
  // Five of them get the pro key in 3 s; the sixth and seventh would wait a minute more.
  const auto sixth = host_.Next(), seventh = host_.Next();
  ASSERT_TRUE(sixth && seventh);
  EXPECT_EQ(sixth->ticket, tickets[5]);
  EXPECT_EQ(seventh->ticket, tickets[6]);
  EXPECT_EQ(seventh->model, "flash");
  EXPECT_FALSE(host_.Next());
  EXPECT_EQ(host_.dispatcher.NextDeadline(host_.now), host_.now + seconds(3));
}

TEST_F(Fallback, TakesOverWhenTheWantedModelsDayIsOver) {
  ASSERT_EQ(Send(host_.AskFor("pro"))->model, "pro");
  const auto ticket = host_.last_ticket;
  host_.Finish(ticket, FaultOf(FaultKind::kDayQuota));
  Ask ask = host_.AskFor("pro");
  ask.allow_fallback = true;
  EXPECT_EQ(Send(ask)->model, "flash");
}

TEST_F(Fallback, OnlyCapableModelsAnswer) {
  Ask ask = AskTier(Tier::kLight, 0, true);
  ask.capable_models = {"pro"};
  EXPECT_EQ(Send(ask)->model, "pro");
  ask = host_.AskFor("flash");
  ask.capable_models = {"pro"};
  EXPECT_FALSE(Send(ask));
  EXPECT_EQ(refusal_->reason, RefusalReason::kNoSuchModel);
}

// ---- backfill

TEST(Backfill, SmallRequestsUseWhatALargeOneLeavesWithoutDelayingIt) {
  Host host(ConfigOf({KeyFor("a", "flash", Tpm(1000))}));
  ASSERT_EQ(host.Send("flash", 700), "a");
  host.Pass(seconds(10));
  ASSERT_EQ(host.Send("flash", 200), "a");
  Ask large = host.AskFor("flash", 500), small = host.AskFor("flash", 100);
  large.agent = "large";
  small.agent = "small";
  host.Enter(large);
  host.Enter(small);
  // At 60 s 700 come free: 500 for the large one, and what the small one takes now.
  EXPECT_EQ(host.Next()->ticket, small.ticket);
  host.now = kStart + seconds(60);
  EXPECT_EQ(host.Next()->ticket, large.ticket);
}

TEST(Backfill, ASmallRequestThatWouldDelayTheLargeOneWaits) {
  Host host(ConfigOf({KeyFor("a", "flash", Tpm(1000))}));
  ASSERT_EQ(host.Send("flash", 800), "a");
  Ask large = host.AskFor("flash", 900), small = host.AskFor("flash", 101);
  large.agent = "large";
  small.agent = "small";
  host.Enter(large);
  host.Enter(small);
  EXPECT_FALSE(host.Next());
  host.Pass(seconds(60));
  EXPECT_EQ(host.Next()->ticket, large.ticket);
}

// ---- caller limits

TEST(CallerLimit, ARequestOverItWaitsLikeForAnyCapacity) {
  Config config = ConfigOf({KeyFor("a", "flash", Rpm(100))});
  config.user_limit = BucketSpec{10, 1};
  Host host(config);
  Ask ask = host.AskFor("flash");
  ask.user_id = "ann";
  ASSERT_FALSE(host.Enter(ask));
  ASSERT_TRUE(host.Next());
  Ask second = host.AskFor("flash");
  second.user_id = "ann";
  ASSERT_FALSE(host.Enter(second));
  EXPECT_FALSE(host.Next());
  EXPECT_EQ(host.dispatcher.NextDeadline(host.now), host.now + seconds(6));
  EXPECT_EQ(host.dispatcher.StandingOf(second.ticket, host.now)->eta, seconds(6));
  EXPECT_EQ(host.Send("flash"), "a");  // others do not wait
  host.Pass(seconds(6));
  EXPECT_EQ(host.Next()->ticket, second.ticket);
}

TEST(CallerLimit, OneThatCannotWaitIsTold) {
  Config config = ConfigOf({KeyFor("a", "flash", Rpm(100))});
  config.user_limit = BucketSpec{10, 1};
  Host host(config);
  Ask ask = host.AskFor("flash");
  ask.user_id = "ann";
  host.Enter(ask);
  Ask second = host.AskFor("flash");
  second.user_id = "ann";
  second.wait_until = host.now + seconds(5);
  const auto refusal = host.Enter(second);
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->reason, RefusalReason::kCallerLimit);
  EXPECT_EQ(refusal->retry_after, seconds(6));
  // One that leaves unsent gives its place back.
  host.dispatcher.Leave(ask.ticket, host.now);
  EXPECT_FALSE(host.Enter(second));
}

TEST(CallerLimit, TheHostsLimitHoldsForAll) {
  Config config = ConfigOf({KeyFor("a", "flash", Rpm(100))});
  config.host_limit = BucketSpec{60, 2};
  Host host(config);
  EXPECT_EQ(host.SendAndSucceed("flash"), "a");
  EXPECT_EQ(host.SendAndSucceed("flash"), "a");
  EXPECT_EQ(host.Send("flash"), "");
  EXPECT_EQ(host.dispatcher.NextDeadline(host.now), host.now + seconds(1));
  host.Pass(seconds(1));
  EXPECT_TRUE(host.Next());
}

TEST(CallerLimit, WhoCannotWaitForTheHostsLimitIsTold) {
  Config config = ConfigOf({KeyFor("a", "flash", Rpm(100))});
  config.host_limit = BucketSpec{60, 1};
  Host host(config);
  ASSERT_EQ(host.SendAndSucceed("flash"), "a");
  Ask ask = host.AskFor("flash");
  ask.wait_until = host.now + milliseconds(999);
  const auto refusal = host.Enter(ask);
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->reason, RefusalReason::kCallerLimit);
  EXPECT_EQ(refusal->message, "the host is over its requests per minute");
  EXPECT_EQ(refusal->retry_after, seconds(1));
  ask.wait_until = host.now + seconds(1);
  EXPECT_FALSE(host.Enter(ask));
}

// ---- explanations

std::string VerdictOn(const std::vector<Considered>& all, const std::string& key) {
  for (const Considered& one : all) {
    if (one.key_id == key) return std::string(one.verdict);
  }
  return "";
}

TEST(Explain, SaysOfEachKeyWhyNot) {
  KeySpec inactive = KeyFor("inactive", "flash", Rpm(9)), secretless = inactive;
  inactive.active = false;
  secretless.key_id = "secretless";
  secretless.has_secret = false;
  Host host(ConfigOf({KeyFor("full", "flash", Rpm(1)), inactive, secretless,
                      KeyFor("off", "flash", Rpm(9)), KeyFor("other", "pro", Rpm(9))}));
  host.dispatcher.SetEnabled("off", false, host.now);
  ASSERT_EQ(host.Send("flash"), "full");
  const Ask next = host.AskFor("flash");
  const auto all = host.dispatcher.Consider(next, host.now);
  EXPECT_EQ(VerdictOn(all, "full"), "rpm");
  EXPECT_EQ(all[0].until, host.now + seconds(60));
  EXPECT_EQ(VerdictOn(all, "inactive"), "inactive");
  EXPECT_EQ(VerdictOn(all, "secretless"), "no_secret");
  EXPECT_EQ(VerdictOn(all, "off"), "disabled");
  EXPECT_EQ(VerdictOn(all, "other"), "other_model");
}

TEST(Explain, NamesTheChosenAndTheTriedKeys) {
  KeySpec first = KeyFor("first", "flash", Rpm(9));
  first.priority = 1;
  Host host(ConfigOf({first, KeyFor("second", "flash", Rpm(9))}));
  const Ask ask = host.AskFor("flash");
  host.Enter(ask);
  host.Next();
  EXPECT_EQ(VerdictOn(host.dispatcher.Consider(ask, host.now), "first"), "chosen");
  EXPECT_EQ(VerdictOn(host.dispatcher.Consider(ask, host.now), "second"), "not_preferred");
  host.Finish(ask.ticket, FaultOf(FaultKind::kNetwork));
  EXPECT_EQ(VerdictOn(host.dispatcher.Consider(ask, host.now), "first"), "tried");
  EXPECT_EQ(VerdictOn(host.dispatcher.Consider(ask, host.now), "second"), "chosen");
}

TEST(Explain, KeysOfOtherModelsAreThoseOfAFallbackWhereThatIsAllowed) {
  Host host(Examples());
  Ask ask = host.AskFor("flash");
  EXPECT_EQ(VerdictOn(host.dispatcher.Consider(ask, host.now), "pro-1"), "other_model");
  ask.allow_fallback = true;
  EXPECT_EQ(VerdictOn(host.dispatcher.Consider(ask, host.now), "pro-1"), "fallback");
}

TEST(Explain, WhereOneKeyIsAskedForNoOtherIsACandidate) {
  Host host(ConfigOf({KeyFor("a", "flash", Rpm(9)), KeyFor("b", "flash", Rpm(9))}));
  Ask ask = host.AskFor("flash");
  ask.key_id = "b";
  const auto all = host.dispatcher.Consider(ask, host.now);
  EXPECT_EQ(VerdictOn(all, "a"), "other_model");
  EXPECT_EQ(VerdictOn(all, "b"), "chosen");
}

// ---- reload and restart

TEST(Reload, KeepsWindowsCooldownsAndWhatIsInFlight) {
  const Config config = ConfigOf({KeyFor("a", "flash", Rpm(2)), KeyFor("b", "flash", Rpm(9))});
  Host host(config);
  Ask ask = host.AskFor("flash");
  ask.preferred_key = "a";
  host.Enter(ask);
  ASSERT_EQ(host.Next()->key_id, "a");
  ASSERT_EQ(host.Send("flash"), "b");
  host.Finish(host.last_ticket, FaultOf(FaultKind::kMinuteQuota, seconds(30)));
  host.dispatcher.Leave(host.last_ticket, host.now);
  host.dispatcher.Configure(config, host.now);
  EXPECT_EQ(host.dispatcher.Key("b", host.now)->state, KeyStateName::kCooling);
  EXPECT_EQ(host.dispatcher.Key("a", host.now)->usage[0].rpm->used, 1);
  EXPECT_EQ(host.SendAndSucceed("flash"), "a");
  EXPECT_EQ(host.SendAndSucceed("flash"), "");
  EXPECT_EQ(host.dispatcher.Key("a", host.now)->in_flight, 1);
  host.Finish(ask.ticket);
  EXPECT_EQ(host.dispatcher.Key("a", host.now)->in_flight, 0);
}

TEST(Reload, GivesAnInvalidKeyAnotherChance) {
  const Config config = ConfigOf({KeyFor("a", "flash", Rpm(9))});
  Host host(config);
  ASSERT_EQ(host.Send("flash"), "a");
  host.Finish(host.last_ticket, FaultOf(FaultKind::kKeyInvalid));
  EXPECT_EQ(host.Enter(host.AskFor("flash"))->reason, RefusalReason::kNoKeys);
  host.dispatcher.Configure(config, host.now);
  EXPECT_EQ(host.SendAndSucceed("flash"), "a");
}

// Its secret may be another since.
TEST(Reload, KeepsAKeyThatIsRefusedToAnAttemptOfBefore) {
  const Config config = ConfigOf({KeyFor("a", "flash", Rpm(9))});
  Host host(config);
  ASSERT_EQ(host.Send("flash"), "a");
  host.dispatcher.Configure(config, host.now);
  host.Finish(host.last_ticket, FaultOf(FaultKind::kKeyInvalid));
  EXPECT_EQ(host.dispatcher.Key("a", host.now)->state, KeyStateName::kReady);
  ASSERT_EQ(host.Send("flash"), "a");
  host.Finish(host.last_ticket, FaultOf(FaultKind::kKeyInvalid));
  EXPECT_EQ(host.dispatcher.Key("a", host.now)->state, KeyStateName::kDisabled);
}

TEST(Reload, ADayThatEndsElsewhereEndsThereForWhatIsCountedAlready) {
  const auto ending = [](NextReset reset) {
    LimitSet limits = Rpm(9);
    limits.rpd = 1;
    limits.day_reset = std::move(reset);
    return ConfigOf({KeyFor("a", "flash", limits)});
  };
  const auto at = [](Duration hour) { return [hour](Instant) { return kStart + hour; }; };
  Host host(ending(at(hours(5))));
  ASSERT_EQ(host.SendAndSucceed("flash"), "a");
  host.dispatcher.Configure(ending(at(hours(3))), host.now);
  const auto resets = [&] { return host.dispatcher.Key("a", host.now)->usage[0].rpd->resets_at; };
  EXPECT_EQ(resets(), kStart + hours(3));
  host.dispatcher.Configure(ending(nullptr), host.now);
  EXPECT_EQ(resets(), kStart + hours(24));
  host.Pass(hours(3));
  EXPECT_EQ(host.SendAndSucceed("flash"), "");
}

TEST(Reload, WhoWaitsForAModelThatIsGoneIsTold) {
  Host host(ConfigOf({KeyFor("a", "flash", Rpm(1))}));
  ASSERT_EQ(host.Send("flash"), "a");
  const auto in_flight = host.last_ticket;
  ASSERT_EQ(host.Send("flash"), "");
  host.dispatcher.Configure(ConfigOf({KeyFor("b", "pro", Rpm(1))}), host.now);
  const auto refused = host.dispatcher.Expire(host.now);
  ASSERT_EQ(refused.size(), 1U);
  EXPECT_EQ(refused[0].reason, RefusalReason::kNoSuchModel);
  EXPECT_FALSE(host.Finish(in_flight));
  EXPECT_EQ(host.dispatcher.NextDeadline(host.now), kNever);
}

TEST(Reload, ARemovedKeysAttemptThatFailsIsRetriedElsewhere) {
  Host host(ConfigOf({KeyFor("a", "flash", Rpm(1))}));
  ASSERT_EQ(host.Send("flash"), "a");
  host.dispatcher.Configure(ConfigOf({KeyFor("b", "flash", Rpm(1))}), host.now);
  EXPECT_FALSE(host.Finish(host.last_ticket, FaultOf(FaultKind::kModel)));
  EXPECT_EQ(host.Next()->key_id, "b");
}

TEST(Reload, AnAttemptWithAModelThatIsGoneEndsAsItEnds) {
  const Config pro = ConfigOf({KeyFor("b", "pro", Rpm(1))});
  Host succeeds(ConfigOf({KeyFor("a", "flash", Rpm(9))}));
  ASSERT_EQ(succeeds.Send("flash"), "a");
  succeeds.dispatcher.Configure(pro, succeeds.now);
  EXPECT_FALSE(succeeds.Finish(succeeds.last_ticket, {}, Demand{.input_tokens = 9'000}));
  Host fails(ConfigOf({KeyFor("a", "flash", Rpm(9))}));
  ASSERT_EQ(fails.Send("flash"), "a");
  fails.dispatcher.Configure(pro, fails.now);
  const auto refusal = fails.Finish(fails.last_ticket, FaultOf(FaultKind::kNetwork));
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->reason, RefusalReason::kFault);
}

TEST(Reload, AKeyThatComesBackHasTheCooldownThatItsLastAttemptBroughtMeanwhile) {
  const Config with = ConfigOf({KeyFor("a", "flash", Rpm(9))});
  Host host(with);
  ASSERT_EQ(host.Send("flash"), "a");
  host.dispatcher.Configure(ConfigOf({}), host.now);
  EXPECT_EQ(host.dispatcher.Key("a", host.now), std::nullopt);
  host.Finish(host.last_ticket, FaultOf(FaultKind::kMinuteQuota, seconds(30)));
  host.dispatcher.Configure(with, host.now);
  EXPECT_EQ(host.dispatcher.Key("a", host.now)->state, KeyStateName::kCooling);
  EXPECT_EQ(host.SendAndSucceed("flash"), "");
  host.Pass(seconds(30));
  EXPECT_EQ(host.SendAndSucceed("flash"), "a");
}

TEST(Reload, WhatKeysThatAreGoneHaveUsedIsForgottenWhereThereAreVeryMany) {
  Config config;
  const auto used = [&](int keys) {
    config.keys.clear();
    for (int i = 0; i < keys; ++i) {
      config.keys.push_back(KeyFor("key" + std::to_string(i), "flash", Rpm(9)));
    }
    KeyPool pool(1);
    pool.Configure(config, kStart);
    pool.RestoreAttempts("key0", "flash", {1}, kStart);
    for (int i = 0; i < 2; ++i) pool.Configure(ConfigOf({}), kStart);
    pool.Configure(config, kStart);
    return pool.Key("key0", kStart)->usage.at(0).rpm->used;
  };
  EXPECT_EQ(used(10'000), 1);
  EXPECT_EQ(used(10'001), 0);
}

TEST(Restart, NothingIsOverrun) {
  Host host(ConfigOf({KeyFor("a", "flash", Rpm(2))}));
  host.dispatcher.RestoreAttempts("a", "flash", {1}, kStart - seconds(30));
  host.dispatcher.RestoreAttempts("a", "flash", {1}, kStart - seconds(10));
  host.dispatcher.RestoreAttempts("gone", "flash", {1}, kStart);
  EXPECT_EQ(host.SendAndSucceed("flash"), "");
  host.Pass(milliseconds(29'999));
  EXPECT_EQ(host.SendAndSucceed("flash"), "");
  host.Pass(milliseconds(1));
  EXPECT_EQ(host.SendAndSucceed("flash"), "a");
}

TEST(Restart, WhereTheJournalHasGapsMinutesCountAsFullAndDaysAsTold) {
  LimitSet limits = Rpm(2);
  limits.rpd = 3;
  Host host(ConfigOf({KeyFor("a", "flash", limits)}));
  host.dispatcher.RestoreDay("a", "flash", {0, 0, 0, 0, 2}, kStart, host.now);
  host.dispatcher.RestoreDay("gone", "flash", {0, 0, 0, 0, 2}, kStart, host.now);
  host.dispatcher.RestoreFullWindows(kStart - seconds(20), host.now);
  EXPECT_EQ(host.SendAndSucceed("flash"), "");
  host.Pass(seconds(40));
  EXPECT_EQ(host.SendAndSucceed("flash"), "a");
  EXPECT_EQ(host.SendAndSucceed("flash"), "") << "the day is used up";
}

TEST(Restart, CooldownsAndSwitchedOffKeysAreRestored) {
  Host before(ConfigOf({KeyFor("a", "flash", Rpm(9)), KeyFor("b", "flash", Rpm(9))}));
  Ask ask = before.AskFor("flash");
  ask.preferred_key = "a";
  before.Enter(ask);
  before.Next();
  before.Finish(ask.ticket, FaultOf(FaultKind::kMinuteQuota, seconds(40)));
  before.dispatcher.SetEnabled("b", false, before.now);
  const auto changed = before.dispatcher.TakeChanged(before.now);
  EXPECT_EQ(changed.keys.size(), 2U);
  const auto again = before.dispatcher.TakeChanged(before.now);
  EXPECT_TRUE(again.keys.empty());
  EXPECT_TRUE(again.health.empty());

  Host after(ConfigOf({KeyFor("a", "flash", Rpm(9)), KeyFor("b", "flash", Rpm(9))}));
  for (const KnownHealth& known : changed.health) after.dispatcher.RestoreHealth(known, after.now);
  after.Pass(milliseconds(39'999));
  EXPECT_EQ(after.SendAndSucceed("flash"), "");
  after.Pass(milliseconds(1));
  EXPECT_EQ(after.SendAndSucceed("flash"), "a");
  EXPECT_EQ(after.dispatcher.Key("b", after.now)->state, KeyStateName::kDisabled);
}

TEST(Restart, AKeyThatAnOperatorDisabledStaysSoThoughItHasNoSecretAndIsCooling) {
  KeySpec key = KeyFor("a", "flash", Rpm(9));
  Host before(ConfigOf({key}));
  ASSERT_EQ(before.Send("flash"), "a");
  before.Finish(before.last_ticket, FaultOf(FaultKind::kMinuteQuota, seconds(40)));
  before.dispatcher.SetHasSecret("a", false);
  before.dispatcher.SetEnabled("a", false, before.now);
  EXPECT_EQ(before.dispatcher.Key("a", before.now)->state, KeyStateName::kNoSecret);
  const auto changed = before.dispatcher.TakeChanged(before.now);

  Host after(ConfigOf({key}));
  for (const KnownHealth& known : changed.health) after.dispatcher.RestoreHealth(known, after.now);
  after.Pass(hours(100));
  EXPECT_EQ(after.dispatcher.Key("a", after.now)->state, KeyStateName::kDisabled);
  EXPECT_EQ(after.SendAndSucceed("flash"), "");
  after.dispatcher.SetEnabled("a", true, after.now);
  EXPECT_EQ(after.SendAndSucceed("flash"), "a");
}

TEST(Restart, AModelsExhaustedQuotaStaysSoAndTheKeysOtherModelsGoOn) {
  KeySpec key = KeyFor("a", "pro", Rpm(9));
  key.models.push_back({"flash", Rpm(9)});
  key.quota_group = "project";
  Host before(ConfigOf({key}));
  ASSERT_EQ(before.Send("pro"), "a");
  before.Finish(before.last_ticket, FaultOf(FaultKind::kDayQuota, hours(5)));
  const auto changed = before.dispatcher.TakeChanged(before.now);

  Host after(ConfigOf({key}));
  for (const KnownHealth& known : changed.health) after.dispatcher.RestoreHealth(known, after.now);
  const auto status = after.dispatcher.Key("a", after.now);
  EXPECT_EQ(status->state, KeyStateName::kReady);
  ASSERT_EQ(status->model_cooldowns.size(), 1U);
  EXPECT_EQ(status->model_cooldowns[0].model, "pro");
  EXPECT_EQ(after.SendAndSucceed("flash"), "a");
  after.Pass(hours(5) - milliseconds(1));
  EXPECT_EQ(after.SendAndSucceed("pro"), "");
  after.Pass(milliseconds(1));
  EXPECT_EQ(after.SendAndSucceed("pro"), "a");
}

TEST(Restart, AProviderThatWasLeftAloneStaysSo) {
  const Config config = ConfigOf({KeyFor("a", "flash", Rpm(9)), KeyFor("b", "flash", Rpm(9))});
  Host before(config);
  for (const char* key : {"a", "b"}) {
    Ask ask = before.AskFor("flash");
    ask.preferred_key = key;
    before.Enter(ask);
    before.Next();
    Report report;
    report.fault = FaultOf(FaultKind::kProvider, {}, 503);
    report.may_retry = false;
    before.dispatcher.Finished(ask.ticket, report, before.now);
  }
  const auto changed = before.dispatcher.TakeChanged(before.now);
  ASSERT_EQ(changed.health.size(), 1U);
  EXPECT_EQ(changed.health[0].of, "provider/gemini");
  EXPECT_EQ(changed.health[0].state, KeyStateName::kCooling);
  EXPECT_TRUE(before.dispatcher.TakeChanged(before.now).health.empty());

  Host after(config);
  after.dispatcher.RestoreHealth(changed.health[0], after.now);
  EXPECT_EQ(after.SendAndSucceed("flash"), "");
  after.Pass(changed.health[0].cooldown.until - after.now);
  EXPECT_NE(after.SendAndSucceed("flash"), "");
}

}  // namespace
}  // namespace requestrouter::policy
