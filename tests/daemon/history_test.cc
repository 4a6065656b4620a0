#include "daemon/router/history.h"

#include <gtest/gtest.h>

namespace requestrouter::router {
namespace {

using ipc::Message;
using ipc::Role;
using ipc::TextMessage;

Message CallOf(std::string id) {
  Message message;
  message.role = Role::kAssistant;
  message.tool_calls.push_back({std::move(id), "look", "{}", ipc::Value()});
  return message;
}

Message ResultOf(std::string id, std::string text) {
  Message message = TextMessage(Role::kTool, std::move(text));
  message.tool_call_id = std::move(id);
  return message;
}

std::vector<Message> TwoTurns() {
  return {TextMessage(Role::kUser, "1234567890"), TextMessage(Role::kAssistant, "1234567890"),
          TextMessage(Role::kUser, "1234567890"), TextMessage(Role::kAssistant, "1234567890")};
}

TEST(History, APlainMessageIsStoredAsItsTextAlone) {
  const storage::StoredMessage stored = ToStored(TextMessage(Role::kUser, "hello"), 7);
  EXPECT_EQ(stored.role, "user");
  EXPECT_EQ(stored.text, "hello");
  EXPECT_EQ(stored.payload, "");
  EXPECT_EQ(*FromStored(stored), TextMessage(Role::kUser, "hello"));
}

TEST(History, ToolCallsResultsImagesAndProviderStateComeBackFromStorage) {
  Message call = CallOf("c1");
  call.provider_state = ipc::Value{{"signature", "abc"}};
  Message image;
  image.parts.emplace_back(ipc::TextPart{"look"});
  image.parts.emplace_back(ipc::ImagePart{"image/png", std::string("\x89PNG\0\xff", 6), ""});
  for (const Message& message : {call, ResultOf("c1", "42"), image}) {
    const auto again = FromStored(ToStored(message, 0));
    ASSERT_TRUE(again) << again.error().message;
    EXPECT_EQ(*again, message);
  }
}

TEST(History, AStoredMessageThatCannotBeReadIsAnErrorNotAGap) {
  storage::StoredMessage stored;
  stored.role = "user";
  stored.payload = "{broken";
  EXPECT_FALSE(FromStored(stored));
}

TEST(History, AToolResultMustAnswerACallMadeBeforeIt) {
  EXPECT_TRUE(CheckToolCallIds({CallOf("c1")}, {ResultOf("c1", "42")}));
  EXPECT_TRUE(CheckToolCallIds({}, {CallOf("c1"), ResultOf("c1", "42")}));
  const auto checked = CheckToolCallIds({CallOf("c1")}, {ResultOf("c2", "42")});
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().type, ipc::ErrorType::kInvalidRequest);
  EXPECT_NE(checked.error().message.find("messages[0].tool_call_id"), std::string::npos);
  EXPECT_FALSE(CheckToolCallIds({}, {ResultOf("c1", "42"), CallOf("c1")}));
}

TEST(History, WhatFitsExactlyIsKeptAndOneByteLessDropsAWholeTurn) {
  std::vector<Message> fits = TwoTurns();
  EXPECT_EQ(TrimHistory(fits, 40, false), 0u);
  EXPECT_EQ(fits.size(), 4u);
  std::vector<Message> too_long = TwoTurns();
  EXPECT_EQ(TrimHistory(too_long, 39, false), 2u);
  EXPECT_EQ(too_long.size(), 2u);
  EXPECT_EQ(too_long.front().role, Role::kUser);
}

TEST(History, AToolCallIsNeverSeparatedFromItsResult) {
  std::vector<Message> history = {
      TextMessage(Role::kUser, "first"), CallOf("c1"),
      ResultOf("c1", "a long result"),   TextMessage(Role::kAssistant, "done"),
      TextMessage(Role::kUser, "then"),  TextMessage(Role::kAssistant, "yes")};
  EXPECT_EQ(TrimHistory(history, 20, false), 4u);
  EXPECT_EQ(ipc::TextOf(history.front()), "then");
}

TEST(History, TheTurnWhoseToolsAreBeingAnsweredStaysHoweverLarge) {
  std::vector<Message> history = {TextMessage(Role::kUser, "first"),
                                  TextMessage(Role::kAssistant, "ok"),
                                  TextMessage(Role::kUser, "use the tool"), CallOf("c1")};
  EXPECT_EQ(TrimHistory(history, 1, true), 2u);
  EXPECT_EQ(history.size(), 2u);
  std::vector<Message> without = {TextMessage(Role::kUser, "use the tool"), CallOf("c1")};
  EXPECT_EQ(TrimHistory(without, 1, false), 2u);
}

TEST(History, WhatTruncatingLeftOfATurnIsDroppedUpToTheFirstMessageOfAUser) {
  std::vector<Message> history = TwoTurns();
  history.insert(history.begin(), {ResultOf("c1", "sun"), TextMessage(Role::kAssistant, "sunny")});
  DropCutTurn(history, false);
  EXPECT_EQ(history, TwoTurns());
  DropCutTurn(history, true);
  EXPECT_EQ(history, TwoTurns());
}

TEST(History, WhatIsLeftOfTheOnlyTurnStaysWhereItMayHoldTheCallThatIsAnswered) {
  std::vector<Message> history = {CallOf("c1")};
  DropCutTurn(history, true);
  EXPECT_EQ(history.size(), 1u);
  DropCutTurn(history, false);
  EXPECT_TRUE(history.empty());
}

}  // namespace
}  // namespace requestrouter::router
