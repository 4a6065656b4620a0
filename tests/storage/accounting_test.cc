#include <gmock/gmock.h>

#include "tests/storage/store_fixture.h"

namespace requestrouter::storage {
namespace {

using ::testing::IsEmpty;

AttemptOpened Opened(std::int64_t id, Millis at = kNow, std::int64_t input = 100) {
  AttemptOpened opened;
  opened.attempt_id = id;
  opened.uid = 1;
  opened.request_id = "r" + std::to_string(id);
  opened.body_digest = "digest";
  opened.key_id = "k1";
  opened.quota_group = "group";
  opened.model = "flash";
  opened.at = at;
  opened.input_tokens = input;
  opened.output_tokens = 50;
  opened.counted_tokens = input + 900;
  return opened;
}

QuotaCount OnlyMinute(const Recovered& recovered) {
  EXPECT_EQ(recovered.minutes.size(), 1u);
  return recovered.minutes.empty() ? QuotaCount{} : recovered.minutes.front();
}

TEST_F(StoreTest, AnOpenAttemptCountsItsReservationAfterARestart) {
  store_->OpenAttempt(Opened(1));
  Reopen();
  const auto recovered = store_->Recover(kNow);
  ASSERT_TRUE(recovered);
  ASSERT_EQ(recovered->unknown.size(), 1u);
  EXPECT_GT(recovered->unknown[0].unknown_until, kNow);
  EXPECT_EQ(recovered->unknown[0].opened.request_id, "r1");
  EXPECT_THAT(recovered->seconds, IsEmpty());
  EXPECT_EQ(OnlyMinute(*recovered).requests, 1);
  EXPECT_EQ(OnlyMinute(*recovered).input_tokens, 100);
  EXPECT_EQ(OnlyMinute(*recovered).counted_tokens, 1'000);
  EXPECT_EQ(recovered->unknown[0].opened.counted_tokens, 1'000);
  EXPECT_EQ(recovered->last_attempt_id, 1);
}

TEST_F(StoreTest, AClosedAttemptCountsWhatItUsed) {
  store_->OpenAttempt(Opened(1));
  Write(AttemptClosed{1, true, 80, 20, 980});
  Reopen();
  const auto recovered = store_->Recover(kNow);
  EXPECT_THAT(recovered->unknown, IsEmpty());
  ASSERT_EQ(recovered->seconds.size(), 1u);
  EXPECT_EQ(recovered->seconds[0].start, kNow);
  EXPECT_EQ(recovered->seconds[0].requests, 1);
  EXPECT_EQ(recovered->seconds[0].input_tokens, 80);
  EXPECT_EQ(recovered->seconds[0].counted_tokens, 980);
  EXPECT_EQ(OnlyMinute(*recovered).requests, 1);
  EXPECT_EQ(OnlyMinute(*recovered).input_tokens, 80);
  EXPECT_EQ(OnlyMinute(*recovered).output_tokens, 20);
  EXPECT_EQ(OnlyMinute(*recovered).counted_tokens, 980);
}

TEST_F(StoreTest, AnAttemptThatWasNotSentCountsNothing) {
  store_->OpenAttempt(Opened(1));
  Write(AttemptClosed{1, false, 0, 0});
  Reopen();
  const auto recovered = store_->Recover(kNow);
  EXPECT_THAT(recovered->unknown, IsEmpty());
  EXPECT_THAT(recovered->seconds, IsEmpty());
  EXPECT_THAT(recovered->minutes, IsEmpty());
}

TEST_F(StoreTest, ClosingTwiceCountsOnce) {
  store_->OpenAttempt(Opened(1));
  Write(AttemptClosed{1, true, 80, 20});
  Write(AttemptClosed{1, true, 500, 500});
  Reopen();
  EXPECT_EQ(OnlyMinute(*store_->Recover(kNow)).input_tokens, 80);
}

TEST_F(StoreTest, OldAttemptsAreSweptAndTheirMinutesStay) {
  store_->OpenAttempt(Opened(1, kNow - kHour));
  Write(AttemptClosed{1, true, 80, 20});
  ASSERT_TRUE(Write(Sweep{kNow, 100}));
  Reopen();
  const auto recovered = store_->Recover(kNow);
  EXPECT_THAT(recovered->seconds, IsEmpty());
  EXPECT_EQ(OnlyMinute(*recovered).input_tokens, 80);
  EXPECT_EQ(recovered->last_attempt_id, 1) << "ids are never used again";
}

TEST_F(StoreTest, SecondsAndMinutesMeetAtAFullMinute) {
  const Millis from = store_->Recover(kNow)->seconds_from;
  EXPECT_EQ(from % 60'000, 0);
  EXPECT_LE(from, kNow - 10 * 60'000);
  store_->OpenAttempt(Opened(1, from - 1));
  store_->OpenAttempt(Opened(2, from));
  Write(AttemptClosed{1, true, 80, 20});
  Write(AttemptClosed{2, true, 80, 20});
  Reopen();
  const auto recovered = store_->Recover(kNow);
  ASSERT_EQ(recovered->seconds.size(), 1u);
  EXPECT_EQ(recovered->seconds[0].start, from);
  ASSERT_EQ(recovered->minutes.size(), 2u);
  EXPECT_EQ(recovered->minutes[0].start, from - 60'000);
}

TEST_F(StoreTest, MinutesAreKeptForADayOf25Hours) {
  store_->OpenAttempt(Opened(1, kNow - 25 * kHour));
  store_->OpenAttempt(Opened(2, kNow - 31 * kHour));
  Write(AttemptClosed{1, true, 80, 20});
  Write(AttemptClosed{2, true, 80, 20});
  Reopen();
  EXPECT_EQ(OnlyMinute(*store_->Recover(kNow)).start, kNow - 25 * kHour);
  EXPECT_EQ(Write(Sweep{kNow, 100})->count, 3) << "both seconds and the old minute";
}

TEST_F(StoreTest, AnUnknownOutcomeIsKnownAsSuchUntilItsEnd) {
  store_->OpenAttempt(Opened(1, kNow - 3 * kDay));
  Reopen();
  Write(Sweep{kNow, 100});
  EXPECT_EQ(store_->Recover(kNow)->unknown.size(), 1u);
  const Millis end = kNow + Options().unknown_for;
  Write(Sweep{end - 1, 100});
  EXPECT_EQ(store_->Recover(end - 1)->unknown.size(), 1u);
  Write(Sweep{end, 100});
  EXPECT_THAT(store_->Recover(kNow)->unknown, IsEmpty());
}

TEST_F(StoreTest, CountsThatAreForgottenAreGone) {
  store_->OpenAttempt(Opened(1));
  Write(AttemptClosed{1, true, 80, 20});
  Write(ForgetQuotaCounts{"group"});
  Reopen();
  const auto recovered = store_->Recover(kNow);
  EXPECT_THAT(recovered->minutes, IsEmpty());
  EXPECT_THAT(recovered->seconds, IsEmpty());
}

TEST_F(StoreTest, OfAGroupOfWritesWhatWasClosedBeforeCountsAreForgottenIsForgottenToo) {
  for (int id = 1; id <= 3; ++id) store_->OpenAttempt(Opened(id));
  std::promise<void> begun;  // holds the storage thread until the others are one group
  std::promise<void> submitted;
  store_->Submit(Flush{}, Durability::kProcess, [&](auto) {
    begun.set_value();
    submitted.get_future().wait();
  });
  begun.get_future().wait();
  store_->Submit(EndOf(AttemptClosed{1, true, 1, 1}), Durability::kProcess, [](auto) {});
  store_->Submit(EndOf(AttemptClosed{2, true, 2, 2}), Durability::kProcess, [](auto) {});
  store_->Submit(ForgetQuotaCounts{"group"}, Durability::kProcess, [](auto) {});
  store_->Submit(EndOf(AttemptClosed{3, true, 40, 4}), Durability::kProcess, [](auto) {});
  store_->Submit(EndOf(AttemptClosed{3, true, 500, 500}), Durability::kProcess, [](auto) {});
  submitted.set_value();
  Write(Flush{});
  EXPECT_EQ(OnlyMinute(*store_->Recover(kNow)).requests, 1);
  EXPECT_EQ(OnlyMinute(*store_->Recover(kNow)).input_tokens, 40);
  Reopen();
  EXPECT_THAT(store_->Recover(kNow)->unknown, IsEmpty());
}

TEST_F(StoreTest, WhatNobodyWaitsForIsWrittenWithoutCompanyToo) {
  std::promise<bool> written;
  store_->Submit(std::make_shared<const Finish>(), Durability::kProcess,
                 [&](auto done) { written.set_value(done.has_value()); });
  EXPECT_TRUE(written.get_future().get());
}

TEST_F(StoreTest, UsageThatIsAskedForCountsWhatNobodyHasWaitedFor) {
  Finish finish;
  finish.usage.push_back({1, "coder", "", "k1", "flash", kNow, 1, 0, 10, 5, 0, 7});
  for (int i = 0; i < 3; ++i) {
    store_->Submit(std::make_shared<const Finish>(finish), Durability::kProcess, [](auto) {});
  }
  EXPECT_EQ(Usages({})->at(0).requests, 3);
}

TEST_F(StoreTest, KeyStatesAreFoundAgain) {
  Write(KeyState{"k1", "cooling", kNow + 5, "429", "RetryInfo", 2});
  Reopen();
  const auto recovered = store_->Recover(kNow);
  ASSERT_EQ(recovered->keys.size(), 1u);
  EXPECT_EQ(recovered->keys[0].until, kNow + 5);
  EXPECT_EQ(recovered->keys[0].source, "RetryInfo");
  EXPECT_EQ(recovered->keys[0].strikes, 2);
}

TEST_F(StoreTest, ThatAnOperatorDisabledAKeyIsKeptUntilHeEnablesIt) {
  Write(KeyState{"k1", "cooling", kNow + 5, "429", "RetryInfo", 2, true});
  Reopen();
  EXPECT_TRUE(store_->Recover(kNow)->keys.at(0).disabled_by_operator);
  EXPECT_EQ(store_->Recover(kNow)->keys.at(0).state, "cooling");
  Write(KeyState{"k1", "cooling", kNow + 5, "429", "RetryInfo", 2, false});
  Reopen();
  EXPECT_FALSE(store_->Recover(kNow)->keys.at(0).disabled_by_operator);
}

TEST_F(StoreTest, UsageIsSummedByWhatIsAsked) {
  Usage usage;
  usage.uid = 1;
  usage.agent = "coder";
  usage.key_id = "k1";
  usage.model = "flash";
  usage.requests = 1;
  usage.input_tokens = 10;
  usage.cost_nano_usd = 7;
  Finish finish;
  for (const Millis at : {kNow, kNow + 1, kNow + kDay}) {
    usage.at = at;
    finish.usage.push_back(usage);
  }
  usage.uid = 2;
  usage.agent = "planner";
  finish.usage.push_back(usage);
  ASSERT_TRUE(Write(finish));

  UsageQuery all;
  EXPECT_EQ(Usages(all)->at(0).requests, 4);
  EXPECT_EQ(Usages(all)->at(0).cost_nano_usd, 28);
  UsageQuery by_agent;
  by_agent.by_agent = true;
  EXPECT_EQ(Usages(by_agent)->size(), 2u);
  UsageQuery mine_by_day;
  mine_by_day.uid = 1;
  mine_by_day.by_day = true;
  const auto days = Usages(mine_by_day);
  ASSERT_EQ(days->size(), 2u);
  EXPECT_EQ(days->at(0).requests, 2);
  EXPECT_EQ(days->at(0).at % kDay, 0);
  UsageQuery late;
  late.since = kNow + kDay;
  EXPECT_EQ(Usages(late)->at(0).requests, 2);
}

}  // namespace
}  // namespace requestrouter::storage
