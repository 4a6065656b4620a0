#include "tests/storage/store_fixture.h"

namespace requestrouter::storage {
namespace {

constexpr Millis kFuture = kNow + kHour;

std::int64_t last_id = 0;

Finish WithResult(const std::string& id, const std::string& digest, const std::string& reply) {
  Finish finish;
  finish.result = StoredResult{++last_id, 1, id, "talk", digest, reply, kFuture};
  return finish;
}

TEST_F(StoreTest, AResultIsReplayedUntilItExpires) {
  ASSERT_TRUE(Write(WithResult("r", "digest", "reply bytes")));
  Reopen();
  const auto found = GetResult(1, "r", kFuture - 1);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->reply, "reply bytes");
  EXPECT_EQ(found->body_digest, "digest");
  EXPECT_EQ(GetResult(1, "r", kFuture).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(GetResult(2, "r", kFuture - 1).error().code, ErrorCode::kNotFound);
}

TEST_F(StoreTest, TheIdsOfResultsAreRecoveredWithoutTheReplies) {
  Write(WithResult("r", "digest", "reply bytes"));
  const auto recovered = store_->Recover(kFuture - 1);
  ASSERT_EQ(recovered->results.size(), 1u);
  EXPECT_EQ(recovered->results[0].request_id, "r");
  EXPECT_EQ(recovered->results[0].reply, "");
}

TEST_F(StoreTest, ATurnWhoseResultIsStoredAlreadyIsNotAppendedTwice) {
  Finish finish = WithResult("r", "digest", "reply");
  finish.turn = TurnOf(1, "talk", "one");
  ASSERT_TRUE(Write(finish));
  ASSERT_TRUE(Write(finish));
  EXPECT_EQ(Get(1, "talk")->messages.size(), 2u);
}

TEST_F(StoreTest, TheResultsOfAConversationGoWithItAndNoOthers) {
  Finish finish = WithResult("mine", "digest", "reply");
  finish.turn = TurnOf(1, "talk", "one");
  Write(finish);
  finish = WithResult("other", "digest", "reply");
  finish.result->conv_id = "other";
  finish.turn = TurnOf(1, "other", "one");
  Write(finish);
  ASSERT_TRUE(Write(DeleteConversation{1, "talk"}));
  EXPECT_FALSE(GetResult(1, "mine"));
  EXPECT_TRUE(GetResult(1, "other"));
  EXPECT_EQ(store_->Recover(kNow)->last_result_id, last_id);
}

TEST_F(StoreTest, AResultOfAnotherConversationWithAnIdThatWasUsedBeforeStays) {
  Finish finish = WithResult("early", "digest", "reply");
  finish.turn = TurnOf(1, "talk", "one");
  Write(finish);
  Write(Sweep{kFuture, 100});
  const std::int64_t id = last_id;
  finish = WithResult("late", "digest", "reply");
  finish.result->id = id;
  finish.result->conv_id = "other";
  finish.turn.reset();
  Write(finish);
  ASSERT_TRUE(Write(DeleteConversation{1, "talk"}));
  EXPECT_TRUE(GetResult(1, "late"));
}

TEST_F(StoreTest, AResultIsFoundByItsNumberForItsRequestAlone) {
  Write(WithResult("r", "digest", "reply"));
  std::promise<bool> found;
  store_->GetResult(last_id, 1, "another", kNow,
                    [&](const auto& result) { found.set_value(result.has_value()); });
  EXPECT_FALSE(found.get_future().get());
}

TEST_F(StoreTest, ExpiredResultsAndConversationsAreSweptInSmallSteps) {
  for (int i = 0; i < 5; ++i) AddTurn(TurnOf(1, "talk" + std::to_string(i), "x"));
  EXPECT_EQ(Write(Sweep{kNow + kDay, 3})->count, 3);
  EXPECT_EQ(Write(Sweep{kNow + kDay, 3})->count, 2);
  EXPECT_EQ(Write(Sweep{kNow + kDay, 3})->count, 0);
}

TEST_F(StoreTest, TheOldestResultsGoWhenThereAreTooMany) {
  for (int i = 0; i < 105; ++i) Write(WithResult("r" + std::to_string(i), "d", "x"));
  Write(Sweep{kFuture - 1, 1000});
  EXPECT_EQ(store_->Recover(kFuture - 1)->results.size(), 100u);
}

}  // namespace
}  // namespace requestrouter::storage
