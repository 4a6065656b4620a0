#include <gmock/gmock.h>

#include <fstream>

#include "storage/database.h"
#include "tests/storage/store_fixture.h"

namespace requestrouter::storage {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> Texts(const Conversation& conversation) {
  std::vector<std::string> texts;
  for (const StoredMessage& message : conversation.messages) texts.push_back(message.text);
  return texts;
}

TEST_F(StoreTest, ATurnIsFoundAgainAfterARestart) {
  Turn turn = TurnOf(1, "talk", "one");
  turn.system_prompt = "be brief";
  turn.user_id = "ada";
  ASSERT_TRUE(AddTurn(turn));
  Reopen();
  const auto found = Get(1, "talk");
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_THAT(Texts(*found), ElementsAre("one", "answer to one"));
  EXPECT_EQ(found->info.system_prompt, "be brief");
  EXPECT_EQ(found->info.message_count, 2);
  EXPECT_EQ(found->info.total_tokens, 10);
  EXPECT_EQ(found->info.last_key_id, "k1");
  EXPECT_EQ(found->info.user_id, "ada");
  EXPECT_EQ(found->messages[1].model, "flash");
}

TEST_F(StoreTest, TurnsKeepTheirOrderAndTheSystemPromptUntilItIsReplaced) {
  Turn first = TurnOf(1, "talk", "one");
  first.system_prompt = "old";
  AddTurn(first);
  AddTurn(TurnOf(1, "talk", "two"));
  EXPECT_EQ(Get(1, "talk")->info.system_prompt, "old");
  Turn third = TurnOf(1, "talk", "three");
  third.system_prompt = "new";
  AddTurn(third);
  EXPECT_EQ(Get(1, "talk")->info.system_prompt, "new");
  EXPECT_THAT(Texts(*Get(1, "talk")), ElementsAre("one", "answer to one", "two", "answer to two",
                                                  "three", "answer to three"));
}

TEST_F(StoreTest, TheNewestMessagesAreReadWhereFewAreAskedFor) {
  AddTurn(TurnOf(1, "talk", "one"));
  AddTurn(TurnOf(1, "talk", "two"));
  EXPECT_THAT(Texts(*Get(1, "talk", kNow, 1)), ElementsAre("answer to two"));
  EXPECT_THAT(Texts(*Get(1, "talk", kNow, 0)), IsEmpty());
}

TEST_F(StoreTest, TheSameIdUnderTwoUidsIsTwoConversations) {
  AddTurn(TurnOf(1, "talk", "mine"));
  AddTurn(TurnOf(2, "talk", "theirs"));
  EXPECT_THAT(Texts(*Get(1, "talk")), ElementsAre("mine", "answer to mine"));
  EXPECT_EQ(Get(3, "talk").error().code, ErrorCode::kNotFound);
}

TEST_F(StoreTest, AConversationLivesUntilItExpiresAndNotAfter) {
  AddTurn(TurnOf(1, "talk", "one"));
  EXPECT_TRUE(Get(1, "talk", kNow + kDay - 1));
  EXPECT_EQ(Get(1, "talk", kNow + kDay).error().code, ErrorCode::kNotFound);
}

TEST_F(StoreTest, ATurnOnAnExpiredConversationBeginsAfresh) {
  AddTurn(TurnOf(1, "talk", "old"));
  AddTurn(TurnOf(1, "talk", "new", kNow + kDay));
  EXPECT_THAT(Texts(*Get(1, "talk", kNow + kDay)), ElementsAre("new", "answer to new"));
}

TEST_F(StoreTest, BytesOfAMessageComeBackAsTheyWere) {
  Turn turn = TurnOf(1, "talk", "one");
  turn.messages[0].payload = std::string("\x00\xff\x81 bytes", 9);
  AddTurn(turn);
  EXPECT_EQ(Get(1, "talk")->messages[0].payload, turn.messages[0].payload);
}

TEST_F(StoreTest, ListingsArePagedByPrefix) {
  for (const char* id : {"a-1", "a-2", "b-1", "a%"}) AddTurn(TurnOf(1, id, "x"));
  EXPECT_THAT(List(1, "a-"), ElementsAre("a-1", "a-2"));
  EXPECT_THAT(List(1, "a-", "a-1"), ElementsAre("a-2"));
  EXPECT_THAT(List(1, "", "", 2), ElementsAre("a%", "a-1"));
  EXPECT_THAT(List(2), IsEmpty());
}

TEST_F(StoreTest, TruncatingKeepsTheNewestAndLaterTurnsFollowOn) {
  AddTurn(TurnOf(1, "talk", "one"));
  AddTurn(TurnOf(1, "talk", "two"));
  const auto written = Write(TruncateConversation{1, "talk", 2});
  ASSERT_TRUE(written);
  EXPECT_EQ(written->count, 2);
  EXPECT_EQ(written->left, 2);
  AddTurn(TurnOf(1, "talk", "three"));
  EXPECT_THAT(Texts(*Get(1, "talk")),
              ElementsAre("two", "answer to two", "three", "answer to three"));
  EXPECT_EQ(Write(TruncateConversation{1, "none", 1}).error().code, ErrorCode::kNotFound);
}

TEST_F(StoreTest, TruncatingKeepsAsManyAsAskedForWhoeverSaidTheFirst) {
  AddTurn(TurnOf(1, "talk", "one"));
  AddTurn(TurnOf(1, "talk", "two"));
  EXPECT_EQ(Write(TruncateConversation{1, "talk", 3})->left, 3);
  EXPECT_THAT(Texts(*Get(1, "talk")), ElementsAre("answer to one", "two", "answer to two"));
  EXPECT_EQ(Write(TruncateConversation{1, "talk", 1})->left, 1);
}

TEST_F(StoreTest, TruncatingNeverKeepsAToolsResultWithoutItsCall) {
  Turn call = TurnOf(1, "talk", "what is the weather?");
  Turn results = TurnOf(1, "talk", "rain");
  results.messages[0].role = "tool";
  results.messages.insert(results.messages.begin(), results.messages[0]);
  AddTurn(call);
  AddTurn(results);
  EXPECT_EQ(Write(TruncateConversation{1, "talk", 4})->left, 4);
  EXPECT_EQ(Get(1, "talk")->messages[0].text, "answer to what is the weather?");
  EXPECT_EQ(Write(TruncateConversation{1, "talk", 3})->left, 1);
  EXPECT_THAT(Texts(*Get(1, "talk")), ElementsAre("answer to rain"));
}

TEST_F(StoreTest, TruncatingToAsMuchAsThereIsRemovesNothing) {
  Turn begins_with_an_answer = TurnOf(1, "talk", "one");
  begins_with_an_answer.messages.erase(begins_with_an_answer.messages.begin());
  AddTurn(begins_with_an_answer);
  AddTurn(TurnOf(1, "talk", "two"));
  for (const std::int64_t n : {4, 3}) EXPECT_EQ(Write(TruncateConversation{1, "talk", n})->left, 3);
  EXPECT_EQ(Write(TruncateConversation{1, "talk", 2})->left, 2);
  EXPECT_EQ(Write(TruncateConversation{1, "talk", 0})->left, 0);
  EXPECT_EQ(Write(TruncateConversation{1, "talk", 0})->count, 0);
}

TEST_F(StoreTest, AConversationTakesSixteenMillionMessagesAndThenNoTurn) {
  AddTurn(TurnOf(1, "talk", "one"));
  AddTurn(TurnOf(1, "next", "untouched"));
  const auto fill_to = [&](std::int64_t messages) {
    Database database(folder_ + "/requestrouter.db", Database::Mode::kReadWrite);
    database.Execute("UPDATE conversations SET next_seq = " + std::to_string(messages) +
                     " WHERE conv_id = 'talk'");
  };
  fill_to((1 << 24) - 2);
  EXPECT_TRUE(AddTurn(TurnOf(1, "talk", "last")));
  const auto refused = AddTurn(TurnOf(1, "talk", "too many"));
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, ::testing::HasSubstr("begin another one"));
  EXPECT_THAT(Texts(*Get(1, "talk")),
              ElementsAre("one", "answer to one", "last", "answer to last"));
  EXPECT_THAT(Texts(*Get(1, "next")), ElementsAre("untouched", "answer to untouched"));
}

TEST_F(StoreTest, ADeletedConversationIsGoneFromTheFileToo) {
  Finish finish;
  finish.turn = TurnOf(1, "talk", "a very private question");
  finish.result = StoredResult{1, 1, "r", "talk", "digest", "a very private reply", kNow + kHour};
  ASSERT_TRUE(Write(finish));
  ASSERT_TRUE(Write(DeleteConversation{1, "talk"}));
  EXPECT_EQ(Get(1, "talk").error().code, ErrorCode::kNotFound);
  store_.reset();  // checkpoints
  std::string bytes;
  for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
    std::ifstream file(entry.path(), std::ios::binary);
    bytes.append(std::istreambuf_iterator<char>(file), {});
  }
  EXPECT_EQ(bytes.find("very private"), std::string::npos);
  Open();
}

}  // namespace
}  // namespace requestrouter::storage
