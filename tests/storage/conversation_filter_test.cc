#include "storage/conversation_filter.h"

#include <gtest/gtest.h>

#include <future>
#include <string>

#include "tests/storage/store_fixture.h"

namespace requestrouter::storage {
namespace {

TEST(ConversationFilterTest, EverythingMayBeThereUntilItIsLoaded) {
  ConversationFilter filter;
  EXPECT_TRUE(filter.MayHold(1, "talk"));
  filter.EndLoading();
  EXPECT_FALSE(filter.MayHold(1, "talk"));
  filter.BeginLoading();
  EXPECT_TRUE(filter.MayHold(1, "talk"));
}

TEST(ConversationFilterTest, WhatWasAddedMayBeThereForItsUidAlone) {
  ConversationFilter filter;
  filter.Add(1, "talk");
  filter.EndLoading();
  EXPECT_TRUE(filter.MayHold(1, "talk"));
  EXPECT_FALSE(filter.MayHold(2, "talk"));
  EXPECT_FALSE(filter.MayHold(1, "talks"));
  EXPECT_FALSE(filter.MayHold(1, ""));
}

// 20,000 of 2^23 bits: one other name in 180,000 is taken for one of them.
TEST(ConversationFilterTest, FewOthersAreTakenForThoseThatAreThere) {
  ConversationFilter filter;
  for (int i = 0; i < 10'000; ++i) filter.Add(1, "there " + std::to_string(i));
  filter.EndLoading();
  int mistaken = 0;
  for (int i = 0; i < 10'000; ++i) {
    EXPECT_TRUE(filter.MayHold(1, "there " + std::to_string(i)));
    mistaken += filter.MayHold(1, "not there " + std::to_string(i)) ? 1 : 0;
  }
  EXPECT_LT(mistaken, 10);
}

class KnownConversationsTest : public StoreTest {
 protected:
  // What the store was asked before has been done: it reads names on the thread that checks.
  bool MayHave(const std::string& conv_id) {
    EXPECT_TRUE(Problems(*store_, CheckDepth::kQuick).empty());
    return store_->MayHaveConversation(1, conv_id);
  }
};

TEST_F(KnownConversationsTest, ANewOneIsKnownToBeNewAndATurnMakesItKnown) {
  EXPECT_FALSE(MayHave("talk"));
  AddTurn(TurnOf(1, "talk", "one"));
  EXPECT_TRUE(MayHave("talk"));
  EXPECT_FALSE(MayHave("other"));
}

TEST_F(KnownConversationsTest, ATurnMakesItKnownBeforeItIsWritten) {
  EXPECT_FALSE(MayHave("talk"));
  Finish finish;
  finish.turn = TurnOf(1, "talk", "one");
  std::promise<void> written;
  store_->Submit(std::make_shared<const Finish>(finish), Durability::kFull,
                 [&](const auto&) { written.set_value(); });
  EXPECT_TRUE(store_->MayHaveConversation(1, "talk"));
  written.get_future().wait();
}

TEST_F(KnownConversationsTest, ThoseOfTheLastDaemonAreKnownSoonAfterTheStart) {
  AddTurn(TurnOf(1, "talk", "one"));
  Reopen();
  EXPECT_TRUE(store_->MayHaveConversation(1, "talk"));  // read or not
  EXPECT_TRUE(MayHave("talk"));
  EXPECT_FALSE(MayHave("other"));
}

TEST_F(KnownConversationsTest, ARestoreMakesThoseOfTheBackupKnown) {
  AddTurn(TurnOf(1, "talk", "one"));
  ASSERT_TRUE(BackUp(folder_ + "/backup"));
  ASSERT_TRUE(Write(DeleteConversation{1, "talk"}));
  Reopen();
  EXPECT_FALSE(MayHave("talk"));
  ASSERT_TRUE(Write(Restore{folder_ + "/backup", kNow}));
  EXPECT_TRUE(store_->MayHaveConversation(1, "talk"));  // read or not
  EXPECT_TRUE(MayHave("talk"));
  EXPECT_FALSE(MayHave("other"));
}

}  // namespace
}  // namespace requestrouter::storage
