#include "daemon/policy/dispatcher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "tests/policy/support.h"

namespace requestrouter::policy {
namespace {

using ::testing::ElementsAre;

// ---- choosing a key

TEST(Choosing, TheLowerPriorityNumberGoesFirst) {
  KeySpec first = KeyFor("first", "flash", Rpm(1)), second = KeyFor("second", "flash", Rpm(10));
  first.priority = 1;
  second.priority = 2;
  Host host(ConfigOf({second, first}));
  EXPECT_EQ(host.SendAndSucceed("flash"), "first");
  EXPECT_EQ(host.SendAndSucceed("flash"), "second");
}

TEST(Choosing, AmongEqualsTheGreatestHeadroomWins) {
  Host host(ConfigOf({KeyFor("small", "flash", Rpm(2)), KeyFor("large", "flash", Rpm(10))}));
  std::multiset<std::string> first_two = {host.SendAndSucceed("flash")};
  first_two.insert(host.SendAndSucceed("flash"));
  EXPECT_EQ(first_two, (std::multiset<std::string>{"large", "small"}));
  // small 1 of 2 used, large 1 of 10.
  EXPECT_EQ(host.SendAndSucceed("flash"), "large");
}

TEST(Choosing, HeadroomComesBackAsTheWindowMoves) {
  Host host(ConfigOf({KeyFor("a", "flash", Rpm(4)), KeyFor("b", "flash", Rpm(4))}));
  std::multiset<std::string> used;
  for (int i = 0; i < 4; ++i) used.insert(host.SendAndSucceed("flash"));
  EXPECT_EQ(used.count("a"), 2U);
  host.Pass(seconds(30));
  const std::string other = host.SendAndSucceed("flash") == "a" ? "b" : "a";
  host.Pass(seconds(30));
  EXPECT_EQ(host.SendAndSucceed("flash"), other);
}

TEST(Choosing, TheConversationsLastKeyIsKeptWhileItHasRoom) {
  Host host(ConfigOf({KeyFor("a", "flash", Rpm(2)), KeyFor("b", "flash", Rpm(100))}));
  for (const char* expected : {"a", "a", "b"}) {
    Ask ask = host.AskFor("flash");
    ask.preferred_key = "a";
    ASSERT_FALSE(host.Enter(ask));
    EXPECT_EQ(host.Next()->key_id, expected);
  }
}

TEST(Choosing, AConversationsLastKeyThatServesNothingAnyMoreIsNotKept) {
  KeySpec idle = KeyFor("idle", "flash", Rpm(9));
  idle.models.clear();
  Host host(ConfigOf({idle, KeyFor("b", "flash", Rpm(9))}));
  Ask ask = host.AskFor("flash");
  ask.preferred_key = "idle";
  ASSERT_FALSE(host.Enter(ask));
  EXPECT_EQ(host.Next()->key_id, "b");
  EXPECT_EQ(host.dispatcher.Key("idle", host.now)->state, KeyStateName::kReady);
  EXPECT_TRUE(host.dispatcher.Key("idle", host.now)->usage.empty());
}

TEST(Choosing, AKeyThatDoesNotServeTheModelIsNotPicked) {
  Host host(ConfigOf({KeyFor("a", "pro", Rpm(9)), KeyFor("b", "flash", Rpm(1))}));
  EXPECT_EQ(host.SendAndSucceed("flash"), "b");
  EXPECT_EQ(host.SendAndSucceed("flash"), "");
}

TEST(Choosing, InactiveKeysAndKeysWithoutSecretAreNotPicked) {
  KeySpec inactive = KeyFor("inactive", "flash", Rpm(9));
  inactive.active = false;
  Host host(ConfigOf({inactive, KeyFor("bare", "flash", Rpm(9))}));
  host.dispatcher.SetHasSecret("bare", false);
  const auto refusal = host.Enter(host.AskFor("flash"));
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->reason, RefusalReason::kNoKeys);
  host.dispatcher.SetHasSecret("bare", true);
  EXPECT_EQ(host.SendAndSucceed("flash"), "bare");
}

TEST(Choosing, AModelThatNoKeyServesIsRefusedWithoutFallback) {
  Host host(ConfigOf({KeyFor("a", "flash", Rpm(1))}));
  EXPECT_EQ(host.Enter(host.AskFor("pro"))->reason, RefusalReason::kNoSuchModel);
}

TEST(Choosing, KeysOfOneQuotaGroupShareTheirLimits) {
  KeySpec a = KeyFor("a", "flash", Rpm(1)), b = KeyFor("b", "flash", Rpm(1));
  a.quota_group = b.quota_group = "project";
  Host host(ConfigOf({a, b}));
  EXPECT_NE(host.SendAndSucceed("flash"), "");
  EXPECT_EQ(host.SendAndSucceed("flash"), "");
  host.Pass(seconds(60));
  EXPECT_NE(host.SendAndSucceed("flash"), "");
}

// ---- limits

TEST(Limits, InAnySixtySecondsNeverMoreThanTheLimit) {
  Host host(ConfigOf({KeyFor("a", "flash", Rpm(2))}));
  EXPECT_EQ(host.SendAndSucceed("flash"), "a");
  host.Pass(seconds(59));
  EXPECT_EQ(host.SendAndSucceed("flash"), "a");
  host.Pass(milliseconds(999));
  EXPECT_EQ(host.SendAndSucceed("flash"), "");
  host.Pass(milliseconds(1));
  EXPECT_EQ(host.SendAndSucceed("flash"), "a");
  EXPECT_EQ(host.SendAndSucceed("flash"), "");
}

TEST(Limits, TheGuardKeepsTheWindowOpenALittleLonger) {
  LimitSet limits = Rpm(1);
  limits.guard = milliseconds(250);
  Host host(ConfigOf({KeyFor("a", "flash", limits)}));
  EXPECT_EQ(host.SendAndSucceed("flash"), "a");
  host.Pass(milliseconds(60'249));
  EXPECT_EQ(host.SendAndSucceed("flash"), "");
  host.Pass(milliseconds(1));
  EXPECT_EQ(host.SendAndSucceed("flash"), "a");
}

TEST(Limits, UnusedTokensAreFreeAsSoonAsUsageIsKnown) {
  Host host(ConfigOf({KeyFor("a", "flash", Tpm(1000))}));
  ASSERT_EQ(host.Send("flash", 900), "a");
  const auto first = host.last_ticket;
  ASSERT_EQ(host.Send("flash", 500), "");
  host.Finish(first, {}, Demand{.input_tokens = 500});
  EXPECT_EQ(host.Next()->ticket, host.last_ticket);
}

TEST(Limits, ADayThatTheProviderSaysIsSpentIsOverWhenTheProvidersDayEnds) {
  LimitSet limits = Rpm(9);
  Host rolling(ConfigOf({KeyFor("a", "flash", limits)}));
  limits.day_reset = [](Instant) { return kStart + hours(5); };
  Host resetting(ConfigOf({KeyFor("a", "flash", limits)}));
  const auto until = [](Host& host) {
    EXPECT_EQ(host.Send("flash"), "a");
    EXPECT_TRUE(host.Finish(host.last_ticket, FaultOf(FaultKind::kDayQuota, seconds(7200))));
    return host.dispatcher.Key("a", host.now)->model_cooldowns.at(0).cooldown.until;
  };
  EXPECT_EQ(until(rolling), kStart + hours(2));
  EXPECT_EQ(until(resetting), kStart + hours(5));
}

TEST(Limits, AMinuteLimitThatTheProviderNamesAsSpentIsWhatItAccepted) {
  Host host(ConfigOf({KeyFor("a", "flash", Rpm(10))}));
  for (int i = 0; i < 6; ++i) ASSERT_EQ(host.SendAndSucceed("flash"), "a");
  ASSERT_EQ(host.Send("flash"), "a");
  Report report;
  report.fault = FaultOf(FaultKind::kMinuteQuota, seconds(1));
  report.spent = {LimitKind::kRpm};
  host.dispatcher.Finished(host.last_ticket, report, host.now);
  EXPECT_EQ(host.dispatcher.Key("a", host.now)->usage.at(0).rpm->limit, 6);
}

TEST(Limits, AnAttemptCountsForWhatItHoldsOrForWhatItUsedAndNothingElseCounts) {
  Host host(ConfigOf({KeyFor("a", "flash", Tpm(1'000))}));
  ASSERT_EQ(host.Send("flash", 900), "a");
  const auto in_flight = host.last_ticket;
  ASSERT_EQ(host.Send("flash", 500), "");
  const auto tokens = [&](std::uint64_t ticket, std::optional<Demand> used) {
    return host.dispatcher.AmountsOf(ticket, used)[static_cast<std::size_t>(LimitKind::kTpm)];
  };
  EXPECT_EQ(tokens(in_flight, {}), 900);
  EXPECT_EQ(tokens(in_flight, Demand{.input_tokens = 400}), 400);
  EXPECT_EQ(tokens(host.last_ticket, Demand{.input_tokens = 400}), 0) << "it only waits";
  EXPECT_EQ(tokens(99, Demand{.input_tokens = 400}), 0) << "it is unknown";
}

TEST(Limits, WhatWasNeverSentIsRefunded) {
  Host host(ConfigOf({KeyFor("a", "flash", Rpm(1))}));
  ASSERT_EQ(host.Send("flash"), "a");
  Report report;
  report.sent = false;
  host.dispatcher.Finished(host.last_ticket, report, host.now);
  EXPECT_EQ(host.Send("flash"), "a");
}

TEST(Limits, WhatTheProviderCountedLaterIsCountedLater) {
  Host host(ConfigOf({KeyFor("a", "flash", Rpm(1))}));
  ASSERT_EQ(host.Send("flash"), "a");
  host.Pass(seconds(10));
  Report report;
  report.sent_at = kStart + seconds(3);
  host.dispatcher.Finished(host.last_ticket, report, host.now);
  host.now = kStart + milliseconds(62'999);
  EXPECT_EQ(host.SendAndSucceed("flash"), "");
  host.Pass(milliseconds(1));
  EXPECT_EQ(host.SendAndSucceed("flash"), "a");
}

TEST(Limits, ARequestThatCouldNeverFitIsRefusedNamingTheLimit) {
  Host host(ConfigOf({KeyFor("a", "flash", Tpm(1000)), KeyFor("b", "flash", Tpm(2000))}));
  EXPECT_FALSE(host.Enter(host.AskFor("flash", 2000)));
  const auto refusal = host.Enter(host.AskFor("flash", 2001));
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->reason, RefusalReason::kTooLarge);
  EXPECT_EQ(refusal->message, "larger than tpm (2000) ever allows");
}

TEST(Limits, RemainingHeadersThatSayLessThanBelievedAreBelieved) {
  Host host(ConfigOf({KeyFor("a", "flash", Rpm(10))}));
  ASSERT_EQ(host.Send("flash"), "a");
  Report report;
  report.remaining.requests = 1;
  host.dispatcher.Finished(host.last_ticket, report, host.now);
  EXPECT_EQ(host.SendAndSucceed("flash"), "a");
  EXPECT_EQ(host.SendAndSucceed("flash"), "");
}

TEST(Limits, AttemptsInFlightAreLimited) {
  LimitSet limits = Rpm(10);
  limits.max_in_flight = 1;
  Host host(ConfigOf({KeyFor("a", "flash", limits)}));
  ASSERT_EQ(host.Send("flash"), "a");
  const auto first = host.last_ticket;
  ASSERT_EQ(host.Send("flash"), "");
  EXPECT_EQ(host.dispatcher.NextDeadline(host.now), host.now + hours(1) + Duration(1));
  host.Finish(first);
  EXPECT_TRUE(host.Next());
}

// ---- cooldowns

TEST(Cooldown, AKeyThatWasRateLimitedIsNotPickedBeforeItsCooldownEnds) {
  Host host(ConfigOf({KeyFor("a", "flash", Rpm(100))}));
  ASSERT_EQ(host.Send("flash"), "a");
  host.Finish(host.last_ticket, FaultOf(FaultKind::kMinuteQuota, seconds(30)));
  host.dispatcher.Leave(host.last_ticket, host.now);
  host.now = kStart + milliseconds(29'999);
  EXPECT_EQ(host.SendAndSucceed("flash"), "");
  host.now = kStart + seconds(30);
  EXPECT_EQ(host.SendAndSucceed("flash"), "a");
}

TEST(Cooldown, AnotherKeyTakesOverAtOnce) {
  KeySpec first = KeyFor("first", "flash", Rpm(100));
  first.priority = 1;
  Host host(ConfigOf({first, KeyFor("second", "flash", Rpm(100))}));
  ASSERT_EQ(host.Send("flash"), "first");
  EXPECT_FALSE(host.Finish(host.last_ticket, FaultOf(FaultKind::kMinuteQuota)));
  const auto grant = host.Next();
  ASSERT_TRUE(grant);
  EXPECT_EQ(grant->key_id, "second");
  EXPECT_EQ(grant->attempt, 2);
  EXPECT_EQ(host.dispatcher.Key("first", host.now)->state, KeyStateName::kCooling);
  EXPECT_EQ(host.dispatcher.Key("first", host.now)->cooldown->until, host.now + seconds(60));
}

TEST(Cooldown, EndsThroughOneTrialRequest) {
  Host host(ConfigOf({KeyFor("a", "flash", Rpm(100))}));
  ASSERT_EQ(host.Send("flash"), "a");
  host.Finish(host.last_ticket, FaultOf(FaultKind::kMinuteQuota, seconds(30)));
  host.dispatcher.Leave(host.last_ticket, host.now);
  host.Pass(seconds(30));
  ASSERT_EQ(host.Send("flash"), "a");
  const auto trial = host.last_ticket;
  EXPECT_EQ(host.Send("flash"), "");
  host.Finish(trial);
  EXPECT_EQ(host.Next()->key_id, "a");
  EXPECT_EQ(host.Send("flash"), "a");
}

TEST(Cooldown, AModelsQuotaDoesNotStopTheKeysOtherModels) {
  KeySpec key = KeyFor("a", "flash", Rpm(100));
  key.models.push_back({"pro", Rpm(100)});
  Host host(ConfigOf({key}));
  ASSERT_EQ(host.Send("pro"), "a");
  host.Finish(host.last_ticket, FaultOf(FaultKind::kDayQuota));
  EXPECT_EQ(host.SendAndSucceed("flash"), "a");
  EXPECT_EQ(host.Send("pro"), "");
  EXPECT_EQ(host.dispatcher.Key("a", host.now)->state, KeyStateName::kReady);
  EXPECT_EQ(host.dispatcher.Key("a", host.now)->model_cooldowns.size(), 1U);
}

TEST(Cooldown, AResetWakesWhoWaits) {
  Host host(ConfigOf({KeyFor("a", "flash", Rpm(100))}));
  ASSERT_EQ(host.Send("flash"), "a");
  host.Finish(host.last_ticket, FaultOf(FaultKind::kMinuteQuota, seconds(30)));
  host.Pass(seconds(1));
  EXPECT_FALSE(host.Next());
  EXPECT_TRUE(host.dispatcher.Reset("a", false, host.now));
  EXPECT_EQ(host.dispatcher.NextDeadline(host.now), host.now);
  EXPECT_EQ(host.Next()->key_id, "a");
  EXPECT_FALSE(host.dispatcher.Reset("unknown", false, host.now));
}

TEST(Cooldown, ResettingTheCountersEmptiesTheWindows) {
  Host host(ConfigOf({KeyFor("a", "flash", Rpm(1))}));
  ASSERT_EQ(host.SendAndSucceed("flash"), "a");
  ASSERT_EQ(host.SendAndSucceed("flash"), "");
  host.dispatcher.Reset("a", true, host.now);
  EXPECT_EQ(host.SendAndSucceed("flash"), "a");
}

// ---- retries

TEST(Retry, ATemporaryFaultIsRetriedOnAnotherKeyAtOnceAndOnTheSameAfterABackoff) {
  Host host(ConfigOf({KeyFor("a", "flash", Rpm(100))}));
  ASSERT_EQ(host.Send("flash"), "a");
  EXPECT_FALSE(host.Finish(host.last_ticket, FaultOf(FaultKind::kProvider, {}, 503)));
  EXPECT_TRUE(host.dispatcher.IsWaiting(host.last_ticket));
  EXPECT_FALSE(host.Next());
  EXPECT_EQ(host.dispatcher.NextDeadline(host.now), host.now + milliseconds(500));
  host.Pass(milliseconds(500));
  EXPECT_EQ(host.Next()->attempt, 2);
}

TEST(Retry, TheLastOfTheRetriesIsFinal) {
  Host host(ConfigOf({KeyFor("a", "flash", Rpm(100))}));
  ASSERT_EQ(host.Send("flash"), "a");
  const auto ticket = host.last_ticket;
  for (int retry = 0; retry < 3; ++retry) {
    ASSERT_FALSE(host.Finish(ticket, FaultOf(FaultKind::kProvider, {}, 503)));
    host.Pass(seconds(5));
    ASSERT_TRUE(host.Next());
  }
  const auto refusal = host.Finish(ticket, FaultOf(FaultKind::kProvider, {}, 503));
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->reason, RefusalReason::kFault);
  EXPECT_EQ(refusal->fault->kind, FaultKind::kProvider);
  EXPECT_FALSE(host.dispatcher.IsWaiting(ticket));
}

TEST(Retry, FaultsOfTheRequestAreFinalAndHarmNoKey) {
  Host host(ConfigOf({KeyFor("a", "flash", Rpm(100))}));
  for (const FaultKind kind : {FaultKind::kRequest, FaultKind::kContent}) {
    ASSERT_EQ(host.Send("flash"), "a");
    EXPECT_EQ(host.Finish(host.last_ticket, FaultOf(kind))->fault->kind, kind);
    EXPECT_EQ(host.dispatcher.Key("a", host.now)->state, KeyStateName::kReady);
  }
}

TEST(Retry, NothingIsRetriedAfterTheFirstDelta) {
  Host host(ConfigOf({KeyFor("a", "flash", Rpm(100)), KeyFor("b", "flash", Rpm(100))}));
  ASSERT_NE(host.Send("flash"), "");
  Report report;
  report.fault = FaultOf(FaultKind::kNetwork);
  report.may_retry = false;
  EXPECT_TRUE(host.dispatcher.Finished(host.last_ticket, report, host.now));
}

TEST(Retry, ARetryThatWouldComeAfterTheDeadlineIsNotMade) {
  Host host(ConfigOf({KeyFor("a", "flash", Rpm(100))}));
  for (const auto& [left, refused] :
       {std::pair(milliseconds(499), true), {milliseconds(500), false}}) {
    Ask ask = host.AskFor("flash");
    ask.deadline = ask.wait_until = host.now + left;
    host.Enter(ask);
    ASSERT_TRUE(host.Next());
    EXPECT_EQ(host.Finish(ask.ticket, FaultOf(FaultKind::kProvider, {}, 500)).has_value(), refused);
    host.dispatcher.Reset("a", false, host.now);
  }
}

TEST(Retry, OneThatCannotOutwaitTheCooldownIsToldAtOnceWhenToComeBack) {
  Host host(ConfigOf({KeyFor("a", "flash", Rpm(100))}));
  Ask ask = host.AskFor("flash");
  ask.deadline = ask.wait_until = host.now + seconds(29);
  host.Enter(ask);
  ASSERT_TRUE(host.Next());
  const auto refusal = host.Finish(ask.ticket, FaultOf(FaultKind::kMinuteQuota, seconds(30)));
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->fault->kind, FaultKind::kMinuteQuota);
  EXPECT_EQ(refusal->retry_after, seconds(30));
}

TEST(Cooldown, AnAbsurdDelayIsBounded) {
  Host host(ConfigOf({KeyFor("a", "flash", Rpm(100))}));
  ASSERT_EQ(host.Send("flash"), "a");
  host.Finish(host.last_ticket, FaultOf(FaultKind::kMinuteQuota, Duration::max()));
  EXPECT_EQ(host.dispatcher.Key("a", host.now)->cooldown->until, host.now + hours(48));
}

TEST(Retry, RetryAfterOfAnOverloadedProviderIsAFloor) {
  Host host(ConfigOf({KeyFor("a", "flash", Rpm(100))}));
  ASSERT_EQ(host.Send("flash"), "a");
  host.Finish(host.last_ticket, FaultOf(FaultKind::kProvider, seconds(7), 503));
  EXPECT_EQ(host.dispatcher.NextDeadline(host.now), host.now + seconds(7));
}

TEST(Retry, AnInvalidKeyIsDisabledAndTheOthersAnswer) {
  KeySpec first = KeyFor("first", "flash", Rpm(100));
  first.priority = 1;
  Host host(ConfigOf({first, KeyFor("second", "flash", Rpm(100))}));
  ASSERT_EQ(host.Send("flash"), "first");
  host.Finish(host.last_ticket, FaultOf(FaultKind::kKeyInvalid));
  EXPECT_EQ(host.Next()->key_id, "second");
  EXPECT_EQ(host.dispatcher.Key("first", host.now)->state, KeyStateName::kDisabled);
  host.Pass(hours(100));
  EXPECT_EQ(host.SendAndSucceed("flash"), "second");
}

TEST(Retry, WhenEveryKeyIsRefusedTheRequestAndThoseWhoWaitAreToldSo) {
  LimitSet one = Rpm(100);
  one.max_in_flight = 1;
  Host host(ConfigOf({KeyFor("a", "flash", one)}));
  ASSERT_EQ(host.Send("flash"), "a");
  const auto first = host.last_ticket;
  ASSERT_EQ(host.Send("flash"), "");
  const auto refusal = host.Finish(first, FaultOf(FaultKind::kKeyInvalid));
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->fault->kind, FaultKind::kKeyInvalid);
  EXPECT_EQ(host.dispatcher.NextDeadline(host.now), host.now);
  const auto expired = host.dispatcher.Expire(host.now);
  ASSERT_EQ(expired.size(), 1U);
  EXPECT_EQ(expired[0].reason, RefusalReason::kNoKeys);
  EXPECT_EQ(host.dispatcher.waiting_count(), 0U);
}

TEST(Retry, WhoIsInABackoffIsToldAtOnceThatTheLastKeyIsGone) {
  Host host(ConfigOf({KeyFor("a", "flash", Rpm(9))}));
  ASSERT_EQ(host.Send("flash"), "a");
  ASSERT_FALSE(host.Finish(host.last_ticket, FaultOf(FaultKind::kProvider)));
  ASSERT_FALSE(host.Next()) << "it backs off";
  host.dispatcher.SetEnabled("a", false, host.now);
  EXPECT_EQ(host.dispatcher.NextDeadline(host.now), host.now);
  const auto refused = host.dispatcher.Expire(host.now);
  ASSERT_EQ(refused.size(), 1U);
  EXPECT_EQ(refused[0].reason, RefusalReason::kNoKeys);
  EXPECT_TRUE(refused[0].fault);
  EXPECT_EQ(host.dispatcher.NextDeadline(host.now), kNever);
}

TEST(Retry, AKeyThatDoesNotServeAModelIsLeftOutForIt) {
  KeySpec a = KeyFor("a", "flash", Rpm(100));
  a.models.push_back({"pro", Rpm(100)});
  a.priority = 1;
  Host host(ConfigOf({a, KeyFor("b", "pro", Rpm(100))}));
  ASSERT_EQ(host.Send("pro"), "a");
  host.Finish(host.last_ticket, FaultOf(FaultKind::kModel));
  EXPECT_EQ(host.Next()->key_id, "b");
  EXPECT_EQ(host.SendAndSucceed("pro"), "b");
  EXPECT_EQ(host.SendAndSucceed("flash"), "a");
  host.Pass(minutes(10));
  EXPECT_EQ(host.SendAndSucceed("pro"), "a");
}

TEST(Retry, ThreeFailuresInARowCoolAKeyForASecond) {
  Host host(ConfigOf({KeyFor("a", "flash", Rpm(100))}));
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(host.dispatcher.Key("a", host.now)->state, KeyStateName::kReady);
    ASSERT_EQ(host.Send("flash"), "a");
    host.Finish(host.last_ticket, FaultOf(FaultKind::kNetwork));
    host.dispatcher.Leave(host.last_ticket, host.now);
  }
  const auto status = host.dispatcher.Key("a", host.now);
  EXPECT_EQ(status->state, KeyStateName::kCooling);
  EXPECT_EQ(status->cooldown->until, host.now + seconds(1));
}

TEST(Retry, TheSameErrorOnASecondKeyBlamesTheProvider) {
  Host host(ConfigOf(
      {KeyFor("a", "flash", Rpm(9)), KeyFor("b", "flash", Rpm(9)), KeyFor("c", "flash", Rpm(9))}));
  ASSERT_NE(host.Send("flash"), "");
  const auto ticket = host.last_ticket;
  ASSERT_FALSE(host.Finish(ticket, FaultOf(FaultKind::kProvider, {}, 503)));
  ASSERT_TRUE(host.Next());
  ASSERT_FALSE(host.Finish(ticket, FaultOf(FaultKind::kProvider, {}, 503)));
  // The third key is not tried: it would see the same.
  EXPECT_FALSE(host.Next());
  EXPECT_EQ(host.Send("flash"), "");
  host.dispatcher.Leave(host.last_ticket, host.now);
  for (const KeyStatus& key : host.dispatcher.Keys(host.now)) {
    EXPECT_EQ(key.state, KeyStateName::kReady) << key.key_id;
  }
  host.Pass(milliseconds(500));
  EXPECT_EQ(host.Next()->ticket, ticket);
}

TEST(Retry, AnEndOfWhatIsNotInFlightChangesNothing) {
  Host host(ConfigOf({KeyFor("a", "flash", Rpm(1))}));
  ASSERT_EQ(host.Send("flash"), "a");
  ASSERT_EQ(host.Send("flash"), "");
  EXPECT_FALSE(host.Finish(99, FaultOf(FaultKind::kNetwork)));
  EXPECT_FALSE(host.Finish(host.last_ticket, FaultOf(FaultKind::kRequest)));
  EXPECT_TRUE(host.dispatcher.IsWaiting(host.last_ticket));
  EXPECT_EQ(host.dispatcher.Key("a", host.now)->in_flight, 1);
}

TEST(Cooldown, ATrialThatSaysNothingOfTheKeyIsShownAndLetsAnotherDecide) {
  Host host(ConfigOf({KeyFor("a", "flash", Rpm(9))}));
  host.dispatcher.RestoreHealth({"a", KeyStateName::kCooling, {host.now, "5xx", "status", 1}},
                                host.now);
  ASSERT_EQ(host.Send("flash"), "a");
  EXPECT_EQ(host.dispatcher.TakeChanged(host.now).keys.size(), 1U);
  Report report;
  report.conclusive = false;
  host.dispatcher.Finished(host.last_ticket, report, host.now);
  const auto changed = host.dispatcher.TakeChanged(host.now).keys;
  ASSERT_EQ(changed.size(), 1U);
  EXPECT_EQ(changed[0].state, KeyStateName::kTrial);
  EXPECT_EQ(host.SendAndSucceed("flash"), "a");
  EXPECT_EQ(host.dispatcher.Key("a", host.now)->state, KeyStateName::kReady);
}

// ---- waiting

TEST(Waiting, FirstComeFirstServedWithinACaller) {
  Host host(ConfigOf({KeyFor("a", "flash", Rpm(1))}));
  ASSERT_EQ(host.Send("flash"), "a");
  for (int i = 0; i < 3; ++i) host.Enter(host.AskFor("flash"));
  std::vector<std::uint64_t> order;
  for (int minute = 0; minute < 3; ++minute) {
    EXPECT_FALSE(host.Next());
    EXPECT_EQ(host.dispatcher.NextDeadline(host.now), host.now + seconds(60));
    host.Pass(seconds(60));
    const auto grant = host.Next();
    ASSERT_TRUE(grant);
    order.push_back(grant->ticket);
  }
  EXPECT_THAT(order, ElementsAre(2, 3, 4));
  EXPECT_EQ(host.dispatcher.waiting_count(), 0U);
}

TEST(Waiting, AnAgentThatSendsMoreDoesNotStarveAnother) {
  Host host(ConfigOf({KeyFor("a", "flash", Rpm(2))}));
  for (int i = 0; i < 20; ++i) {
    Ask ask = host.AskFor("flash");
    ask.agent = "greedy";
    host.Enter(ask);
  }
  Ask modest = host.AskFor("flash");
  modest.agent = "modest";
  host.Enter(modest);
  std::set<std::uint64_t> first_minute;
  while (const auto grant = host.Next()) first_minute.insert(grant->ticket);
  EXPECT_THAT(first_minute, ElementsAre(1, modest.ticket));
}

TEST(Waiting, OneThatCannotBeSentInTimeIsRefusedAtOnceWithTheTimeToComeBack) {
  Host host(ConfigOf({KeyFor("a", "flash", Rpm(1))}));
  ASSERT_EQ(host.Send("flash"), "a");
  host.Pass(seconds(10));
  Ask ask = host.AskFor("flash");
  ask.wait_until = host.now + milliseconds(49'999);
  const auto refusal = host.Enter(ask);
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->reason, RefusalReason::kNoCapacity);
  EXPECT_EQ(refusal->retry_after, seconds(50));
  ask.wait_until = host.now + seconds(50);
  EXPECT_FALSE(host.Enter(ask));
  // The next one's own turn is a window later.
  Ask next = host.AskFor("flash");
  next.wait_until = host.now + seconds(100);
  EXPECT_EQ(host.Enter(next)->retry_after, seconds(110));
}

TEST(Waiting, OneThatTheDaysTokensKeepUntilTomorrowIsRefusedAtOnceWithTheTimeToComeBack) {
  LimitSet limits;
  limits.tpd = 300;
  limits.day_reset = [](Instant) { return kStart + hours(5); };
  limits.guard = {};
  Host host(ConfigOf({KeyFor("a", "flash", limits)}));
  ASSERT_EQ(host.SendAndSucceed("flash", 200), "a");
  const auto refused = host.Enter(host.AskFor("flash", 200));
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->reason, RefusalReason::kNoCapacity);
  EXPECT_EQ(refused->retry_after, Duration(hours(5)));
  EXPECT_EQ(host.SendAndSucceed("flash", 100), "a") << "what is left of the day can be had";
}

TEST(Waiting, MaxWaitZeroIsSentNowOrNever) {
  Host host(ConfigOf({KeyFor("a", "flash", Rpm(1))}));
  Ask ask = host.AskFor("flash");
  ask.wait_until = host.now;
  EXPECT_FALSE(host.Enter(ask));
  EXPECT_TRUE(host.Next());
  Ask second = host.AskFor("flash");
  second.wait_until = host.now;
  EXPECT_EQ(host.Enter(second)->reason, RefusalReason::kNoCapacity);
}

TEST(Waiting, EndsAtTheInstantItWasAllowed) {
  LimitSet limits = Rpm(10);
  limits.max_in_flight = 1;  // so that nobody can tell when there will be room
  Host host(ConfigOf({KeyFor("a", "flash", limits)}));
  ASSERT_EQ(host.Send("flash"), "a");
  Ask ask = host.AskFor("flash");
  ask.wait_until = host.now + seconds(5);
  ASSERT_FALSE(host.Enter(ask));
  EXPECT_FALSE(host.Next());
  EXPECT_EQ(host.dispatcher.NextDeadline(host.now), host.now + seconds(5) + Duration(1));
  host.Pass(seconds(5));
  EXPECT_TRUE(host.dispatcher.Expire(host.now).empty());
  host.Pass(Duration(1));
  const auto expired = host.dispatcher.Expire(host.now);
  ASSERT_EQ(expired.size(), 1U);
  EXPECT_EQ(expired[0].reason, RefusalReason::kExpired);
  EXPECT_FALSE(expired[0].past_deadline);
}

TEST(Waiting, TheQueueIsBounded) {
  Config config = ConfigOf({KeyFor("a", "flash", Rpm(1))});
  config.max_waiting = 2;
  Host host(config);
  ASSERT_EQ(host.Send("flash"), "a");
  EXPECT_FALSE(host.Enter(host.AskFor("flash")));
  EXPECT_FALSE(host.Enter(host.AskFor("flash")));
  EXPECT_EQ(host.Enter(host.AskFor("flash"))->reason, RefusalReason::kQueueFull);
}

TEST(Waiting, WhoLeavesIsForgotten) {
  Host host(ConfigOf({KeyFor("a", "flash", Rpm(1))}));
  ASSERT_EQ(host.Send("flash"), "a");
  const auto in_flight = host.last_ticket;
  ASSERT_EQ(host.Send("flash"), "");
  EXPECT_TRUE(host.dispatcher.Leave(host.last_ticket, host.now));
  EXPECT_FALSE(host.dispatcher.Leave(host.last_ticket, host.now));
  EXPECT_EQ(host.dispatcher.waiting_count(), 0U);
  EXPECT_EQ(host.dispatcher.NextDeadline(host.now), kNever);
  // In flight: it stays until its report, which is not retried any more.
  EXPECT_FALSE(host.dispatcher.Leave(in_flight, host.now));
  EXPECT_EQ(host.dispatcher.Key("a", host.now)->in_flight, 1);
  EXPECT_FALSE(host.Finish(in_flight, FaultOf(FaultKind::kNetwork)));
  EXPECT_EQ(host.dispatcher.Key("a", host.now)->in_flight, 0);
  EXPECT_FALSE(host.dispatcher.IsWaiting(in_flight));
}

TEST(Waiting, PositionsAndEtasAreKnown) {
  Host host(ConfigOf({KeyFor("a", "flash", Rpm(2))}));
  ASSERT_EQ(host.Send("flash"), "a");
  host.Pass(seconds(20));
  ASSERT_EQ(host.Send("flash"), "a");
  for (int i = 0; i < 3; ++i) host.Enter(host.AskFor("flash"));
  const auto waiting = host.dispatcher.Waiting(host.now);
  ASSERT_EQ(waiting.size(), 3U);
  const Duration etas[] = {seconds(40), seconds(60), seconds(100)};
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(waiting[i].ticket, 3 + i);
    EXPECT_EQ(waiting[i].position, 1 + i);
    EXPECT_EQ(waiting[i].eta, etas[i]);
    EXPECT_EQ(host.dispatcher.StandingOf(3 + i, host.now)->position, 1 + i);
    EXPECT_EQ(host.dispatcher.StandingOf(3 + i, host.now)->eta, etas[i]);
  }
}

TEST(Waiting, WhoMayNotWaitForTheEndOfATrialIsRefusedAndNotToldWhenToComeBack) {
  Host host(ConfigOf({KeyFor("a", "flash", Rpm(9))}));
  host.dispatcher.RestoreHealth({"a", KeyStateName::kCooling, {host.now, "5xx", "status", 1}},
                                host.now);
  ASSERT_EQ(host.Send("flash"), "a");
  Ask ask = host.AskFor("flash");
  ask.wait_until = host.now;
  const auto refusal = host.Enter(ask);
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->reason, RefusalReason::kNoCapacity);
  EXPECT_EQ(refusal->retry_after, std::nullopt);
  ask.wait_until += Duration(1);
  EXPECT_FALSE(host.Enter(ask)) << "the trial may end by then";
}

TEST(Waiting, WithoutADeadlineNothingWakesWhoWaitsForTheEndOfAnAttempt) {
  LimitSet limits;
  limits.max_in_flight = 1;
  Host host(ConfigOf({KeyFor("a", "flash", limits)}));
  ASSERT_EQ(host.Send("flash"), "a");
  Ask ask = host.AskFor("flash");
  ask.deadline = ask.wait_until = kNever;
  ASSERT_FALSE(host.Enter(ask));
  EXPECT_FALSE(host.Next());
  EXPECT_EQ(host.dispatcher.NextDeadline(host.now), kNever);
}

TEST(Waiting, WhenTheLastOfThoseWhoWaitHasLeftKeysThatChangedWakeNobody) {
  Host host(ConfigOf({KeyFor("a", "flash", Rpm(1))}));
  ASSERT_EQ(host.Send("flash"), "a");
  ASSERT_EQ(host.Send("flash"), "");
  host.dispatcher.SetEnabled("a", false, host.now);
  EXPECT_EQ(host.dispatcher.NextDeadline(host.now), host.now);
  host.dispatcher.Leave(host.last_ticket, host.now);
  EXPECT_EQ(host.dispatcher.NextDeadline(host.now), kNever);
}

TEST(Waiting, WhereThereIsNoKeyAtAllARequestForAnyModelIsToldSo) {
  Host host(ConfigOf({}));
  const auto refusal = host.Enter(host.AskFor(""));
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->reason, RefusalReason::kNoSuchModel);
  EXPECT_EQ(refusal->message, "no key serves any model that could answer");
}

TEST(Waiting, UidsShareAModelByTheirWeightsAlsoWhereTheyAskForItInDifferentWays) {
  Config config = ConfigOf({KeyFor("a", "flash", Rpm(8))});
  config.uid_weights[1] = 3;
  Host host(config);
  for (int i = 0; i < 16; ++i) {
    Ask ask = host.AskFor("flash");
    ask.uid = i < 8 ? 1 : 2;
    if (ask.uid == 2) ask.key_id = "a";  // a queue of its own
    ASSERT_FALSE(host.Enter(ask));
  }
  int of_first = 0, all = 0;
  for (; const auto grant = host.Next(); ++all) of_first += grant->ticket <= 8;
  EXPECT_EQ(all, 8);
  EXPECT_EQ(of_first, 6);
}

TEST(Waiting, ManyWaysToAskAreServedLikeOne) {
  std::vector<KeySpec> keys;
  for (int i = 0; i < 300; ++i) keys.push_back(KeyFor("key" + std::to_string(i), "flash", Rpm(1)));
  Host host(ConfigOf(keys));
  host.dispatcher.Enter(host.AskFor("flash"), host.now);
  for (int round = 0; round < 2; ++round) {
    for (const KeySpec& key : keys) {
      Ask ask = host.AskFor("flash");
      ask.key_id = key.key_id;
      host.dispatcher.Enter(ask, host.now);
      if (round == 0) host.dispatcher.Leave(ask.ticket, host.now);
    }
  }
  host.dispatcher.SanityCheck(host.now);
  std::set<std::string> used;
  while (const auto grant = host.dispatcher.Next(host.now)) used.insert(grant->key_id);
  EXPECT_EQ(used.size(), 300U);
  EXPECT_EQ(host.dispatcher.waiting_count(), 1U);
}

}  // namespace
}  // namespace requestrouter::policy
