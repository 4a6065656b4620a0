#include <gmock/gmock.h>

#include "tests/storage/store_fixture.h"

namespace requestrouter::storage {
namespace {

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
  return opened;
}

HourCount OnlyHour(const Recovered& recovered) {
  EXPECT_EQ(recovered.hours.size(), 1u);
  return recovered.hours.empty() ? HourCount{} : recovered.hours.front();
}

TEST_F(StoreTest, AnOpenAttemptCountsItsReservationAfterARestart) {
  Write(Opened(1));
  Reopen();
  const auto recovered = store_->Recover(kNow);
  ASSERT_TRUE(recovered);
  ASSERT_EQ(recovered->attempts.size(), 1u);
  EXPECT_FALSE(recovered->attempts[0].closed);
  EXPECT_GT(recovered->attempts[0].unknown_until, kNow);
  EXPECT_EQ(recovered->attempts[0].opened.request_id, "r1");
  EXPECT_EQ(OnlyHour(*recovered).requests, 1);
  EXPECT_EQ(OnlyHour(*recovered).input_tokens, 100);
  EXPECT_EQ(recovered->last_attempt_id, 1);
}

TEST_F(StoreTest, AClosedAttemptCountsWhatItUsed) {
  Write(Opened(1));
  Write(AttemptClosed{1, true, 80, 20});
  const auto recovered = store_->Recover(kNow);
  ASSERT_TRUE(recovered->attempts[0].closed);
  EXPECT_EQ(recovered->attempts[0].closed->input_tokens, 80);
  EXPECT_EQ(OnlyHour(*recovered).requests, 1);
  EXPECT_EQ(OnlyHour(*recovered).input_tokens, 80);
  EXPECT_EQ(OnlyHour(*recovered).output_tokens, 20);
}

TEST_F(StoreTest, AnAttemptThatWasNotSentCountsNothing) {
  Write(Opened(1));
  Write(AttemptClosed{1, false, 0, 0});
  const auto recovered = store_->Recover(kNow);
  EXPECT_FALSE(recovered->attempts[0].closed->counted);
  EXPECT_EQ(OnlyHour(*recovered).requests, 0);
  EXPECT_EQ(OnlyHour(*recovered).input_tokens, 0);
}

TEST_F(StoreTest, ClosingTwiceCountsOnce) {
  Write(Opened(1));
  Write(AttemptClosed{1, true, 80, 20});
  Write(AttemptClosed{1, true, 500, 500});
  EXPECT_EQ(OnlyHour(*store_->Recover(kNow)).input_tokens, 80);
}

TEST_F(StoreTest, OldAttemptsAreSweptAndTheirHoursStay) {
  Write(Opened(1, kNow - kHour));
  Write(AttemptClosed{1, true, 80, 20});
  ASSERT_TRUE(Write(Sweep{kNow, 100}));
  const auto recovered = store_->Recover(kNow);
  EXPECT_TRUE(recovered->attempts.empty());
  EXPECT_EQ(OnlyHour(*recovered).input_tokens, 80);
  EXPECT_EQ(recovered->last_attempt_id, 1) << "ids are never used again";
}

TEST_F(StoreTest, CountsThatAreForgottenAreGone) {
  Write(Opened(1));
  Write(AttemptClosed{1, true, 80, 20});
  Write(ForgetQuotaCounts{"group"});
  const auto recovered = store_->Recover(kNow);
  EXPECT_TRUE(recovered->hours.empty());
  EXPECT_TRUE(recovered->attempts.empty());
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
