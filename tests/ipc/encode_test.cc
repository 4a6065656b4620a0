#include <gtest/gtest.h>

#include <cmath>

#include "golden_messages.h"
#include "ipc/wire_value.h"
#include "payloads.h"

namespace requestrouter::ipc {
namespace {

Value BodyOf(const std::string& bytes) {
  const auto reply = DecodeReply(bytes, Limits{});
  if (reply && std::holds_alternative<Value>(reply->outcome))
    return std::get<Value>(reply->outcome);
  ADD_FAILURE();
  return {};
}

TEST(EncodeReply, GivesTheBytesOfTheFastPathsForTheSameMap) {
  for (const GoldenReply& golden : GoldenReplies()) {
    const std::string fast = Encode(golden);
    const auto reply = DecodeReply(fast, Limits{});
    ASSERT_TRUE(reply) << golden.name;
    EXPECT_EQ(EncodeReply(*reply), fast) << golden.name;
  }
}

TEST(EncodeReply, SendsAReplacementForWhatIsNotUtf8) {
  ChatReply chat;
  chat.content = "ok\xFF";
  EXPECT_EQ(BodyOf(EncodeChatReply("r-1", chat))["content"], "ok\xEF\xBF\xBD");
  EXPECT_EQ(BodyOf(EncodeReply({"r-1", true, Value{{"k\xFF", "v\xFF"}}})),
            (Value{{"k\xEF\xBF\xBD", "v\xEF\xBF\xBD"}}));
}

TEST(EncodeReply, SendsNilForANumberThatIsNotFinite) {
  const Value body = {{"cost_usd", std::nan("")}, {"ratio", INFINITY}, {"whole", 2.0}};
  EXPECT_EQ(BodyOf(EncodeReply({"r-1", true, body})),
            (Value{{"cost_usd", nullptr}, {"ratio", nullptr}, {"whole", 2.0}}));
}

TEST(EncodeReply, AFloatStaysAFloatAndAnIntAnInt) {
  EXPECT_EQ(Pack(2.0), std::string("\xcb\x40\x00\x00\x00\x00\x00\x00\x00", 9));
  EXPECT_EQ(Pack(2), "\x02");
  EXPECT_EQ(Pack(-33), "\xd0\xdf");
  EXPECT_TRUE(BodyOf(EncodeReply({"r-1", true, Value{{"x", 2.0}}}))["x"].is_number_float());
}

TEST(EncodeReply, WritesLongTextsArraysAndMaps) {
  Value map = Value::object();
  for (int i = 0; i < 70'000; ++i)
    map.get_ref<Value::object_t&>().emplace_back(std::to_string(i), i);
  const Value body = {{"text", std::string(70'000, 'x')},
                      {"array", std::vector<int>(70'000, -200)},
                      {"map", std::move(map)}};
  EXPECT_EQ(BodyOf(EncodeReply({"r-1", true, body})), body);
}

TEST(EncodeRequest, LeavesOutWhatIsAtItsDefault) {
  Request request;
  request.id = "r-1";
  request.body = PingRequest{};
  EXPECT_EQ(EncodeRequest(request), Pack({{"v", 1}, {"id", "r-1"}, {"op", "ping"}}));
}

TEST(EncodeRequest, SaysOfToolsWhatIsToBeCalledUnlessThatIsLeftToTheModel) {
  using Mode = ToolChoice::Mode;
  const auto choice = [](Mode mode) {
    ChatRequest chat;
    chat.messages = {TextMessage(Role::kUser, "x")};
    chat.tools = {{"look", "", nullptr}};
    chat.tool_choice = {mode, mode == Mode::kNamed ? "look" : ""};
    return DecodeValue(EncodeRequest({"r-1", 1'000, chat, ""}), Limits{})->at("body");
  };
  EXPECT_FALSE(choice(Mode::kAuto).contains("tool_choice"));
  EXPECT_EQ(choice(Mode::kNone)["tool_choice"], "none");
  EXPECT_EQ(choice(Mode::kRequired)["tool_choice"], "required");
  EXPECT_EQ(choice(Mode::kNamed)["tool_choice"], (Value{{"name", "look"}}));
}

TEST(EncodeDelta, LeavesOutWhatThePieceDoesNotBring) {
  const auto piece = [](const ToolCallPiece& call) {
    ChatDelta delta;
    delta.tool_call = call;
    return BodyOf(EncodeDelta("r-1", 4, delta))["delta"];
  };
  EXPECT_EQ(piece({2, "", "", ""}), (Value{{"tool_call", {{"index", 2}}}}));
  EXPECT_EQ(piece({0, "call-1", "look", ""}),
            (Value{{"tool_call", {{"index", 0}, {"id", "call-1"}, {"name", "look"}}}}));
  EXPECT_EQ(piece({0, "", "", "{}"}), (Value{{"tool_call", {{"index", 0}, {"arguments", "{}"}}}}));
  ChatDelta thought;
  thought.reasoning = "Hm.";
  EXPECT_EQ(BodyOf(EncodeDelta("r-1", 4, thought)),
            (Value{{"seq", 4}, {"delta", {{"reasoning", "Hm."}}}}));
}

TEST(DecodeReply, RefusesWhatIsNoReply) {
  const std::vector<Value> payloads = {
      Value::array(),
      {{"v", 2}, {"id", "r-1"}, {"final", true}, {"ok", true}, {"body", Value::object()}},
      {{"v", 1}, {"id", "r-1"}, {"final", true}, {"ok", true}},
      {{"v", 1}, {"id", "r-1"}, {"final", true}, {"ok", true}, {"body", 7}},
      {{"v", 1}, {"id", "r-1"}, {"final", true}, {"ok", false}, {"body", Value::object()}},
      {{"v", 1}, {"id", 7}, {"final", true}, {"ok", true}, {"body", Value::object()}},
      {{"v", 1}, {"id", "r-1"}, {"ok", false}, {"error", {{"type", "novel_error"}}}},
  };
  for (const Value& payload : payloads) {
    const auto reply = DecodeReply(Pack(payload), Limits{});
    ASSERT_FALSE(reply) << payload;
    EXPECT_EQ(reply.error().type, ErrorType::kInternalError);
  }
}

TEST(DecodeReply, AWarningThatIsNoTextIsLeftOut) {
  const auto reply = ChatReplyFromValue({{"content", "x"}, {"warnings", {"late", 7, nullptr}}});
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->warnings, std::vector<std::string>{"late"});
}

TEST(MessageValue, IsTheMessageAgain) {
  for (const GoldenRequest& golden : GoldenRequests()) {
    const auto* chat = std::get_if<ChatRequest>(&golden.request.body);
    if (!chat) continue;
    for (const Message& message : chat->messages) {
      const auto again = MessageFromValue(ToValue(message));
      ASSERT_TRUE(again) << again.error().message;
      EXPECT_EQ(*again, message);
    }
  }
}

TEST(MessageValue, OneImageAloneIsAListOfOnePart) {
  Message image;
  image.parts = {ImagePart{"image/png", "\x89PNG", ""}};
  const Value value = ToValue(image);
  ASSERT_TRUE(value["content"].is_array());
  EXPECT_EQ(value["content"].size(), 1u);
  EXPECT_EQ(MessageFromValue(value), image);
}

TEST(MessageValue, MessagesAreEqualWhereAllOfThemIs) {
  Message message = TextMessage(Role::kAssistant, "x");
  message.parts.emplace_back(ImagePart{"image/png", "bytes", ""});
  message.tool_calls = {{"call-1", "look", "{}", nullptr}};
  message.tool_call_id = "call-0";
  const auto differs = [&](auto change) {
    Message other = message;
    change(other);
    return other != message;
  };
  EXPECT_FALSE(differs([](Message&) {}));
  EXPECT_TRUE(differs([](Message& other) { other.role = Role::kUser; }));
  EXPECT_TRUE(differs([](Message& other) { other.parts.pop_back(); }));
  EXPECT_TRUE(differs([](Message& other) { other.parts[0] = TextPart{"y"}; }));
  EXPECT_TRUE(differs([](Message& other) { other.tool_call_id = "call-2"; }));
  EXPECT_TRUE(differs([](Message& other) { other.provider_state = 1; }));
  EXPECT_TRUE(differs([](Message& other) { other.tool_calls[0].id = "call-2"; }));
  EXPECT_TRUE(differs([](Message& other) { other.tool_calls[0].name = "see"; }));
  EXPECT_TRUE(differs([](Message& other) { other.tool_calls[0].arguments = "[]"; }));
  EXPECT_TRUE(differs([](Message& other) { other.tool_calls[0].provider_state = 1; }));
  const auto image = [&](ImagePart other) {
    return differs([&](Message& changed) { changed.parts[1] = other; });
  };
  EXPECT_FALSE(image({"image/png", "bytes", ""}));
  EXPECT_TRUE(image({"image/gif", "bytes", ""}));
  EXPECT_TRUE(image({"image/png", "other", ""}));
  EXPECT_TRUE(image({"image/png", "bytes", "https://example.com/x.png"}));
}

TEST(MessageValue, NamesTheKeyThatIsWrong) {
  const auto message = MessageFromValue({{"role", "nobody"}, {"content", "x"}});
  ASSERT_FALSE(message);
  EXPECT_EQ(message.error().message,
            "message.role: must be one of system, user, assistant, tool, is \"nobody\"");
}

}  // namespace
}  // namespace requestrouter::ipc
