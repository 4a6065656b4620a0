#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "requestrouter/client.h"
#include "requestrouter/requestrouter.h"
#include "tests/client/real_daemon.h"

// Every form of call, through the real daemon to the simulated provider.
namespace requestrouter {
namespace {

using ::testing::HasSubstr;
using testing::Prompt;
using testing::RealDaemon;

class DaemonTest : public ::testing::Test {
 protected:
  RealDaemon real_;
  Client client_{real_.options()};
};

TEST_F(DaemonTest, ABlockingChatRemembersItsConversation) {
  ChatRequest request = Prompt("My name is Ada.");
  request.conversation_id = "talk";
  const auto first = client_.Chat(request);
  ASSERT_TRUE(first) << first.error().message;
  EXPECT_TRUE(first->persisted);
  EXPECT_EQ(first->key_id, "k1");
  request.prompt = "What is my name?";
  EXPECT_EQ(client_.Chat(request)->content, "Your name is Ada.");
  EXPECT_EQ(client_.GetConversation("talk")->messages.size(), 4u);
}

TEST_F(DaemonTest, AHundredFuturesAreAnsweredEachWithItsOwn) {
  std::vector<std::future<Result<ChatReply>>> futures;
  for (int i = 0; i < 100; ++i) {
    futures.push_back(client_.ChatAsync(Prompt("number " + std::to_string(i))));
  }
  for (int i = 0; i < 100; ++i) {
    EXPECT_THAT(futures[i].get().value().content, HasSubstr("number " + std::to_string(i) + ";"));
  }
}

TEST_F(DaemonTest, AStreamsPiecesAreTheAnswer) {
  std::string text;
  int pieces = 0;
  const auto reply = client_.ChatStream(Prompt("Hello there"), [&](const ChatEvent& event) {
    if (const auto* delta = std::get_if<ChatDelta>(&event)) {
      text += delta->text;
      ++pieces;
    }
    return true;
  });
  ASSERT_TRUE(reply) << reply.error().message;
  EXPECT_GT(pieces, 1);
  EXPECT_EQ(text, reply->content);
}

TEST_F(DaemonTest, TheCallbackFormStreamsWithoutWaiting) {
  std::string text;
  std::promise<Result<ChatReply>> done;
  client_.ChatAsync(
      Prompt("Hello there"),
      [&text](const ChatEvent& event) {
        if (const auto* delta = std::get_if<ChatDelta>(&event)) text += delta->text;
        return true;
      },
      [&done](Result<ChatReply> reply) { done.set_value(std::move(reply)); });
  const auto reply = done.get_future().get();
  ASSERT_TRUE(reply) << reply.error().message;
  EXPECT_EQ(text, reply->content);
}

TEST_F(DaemonTest, ACancelledChatIsTakenBackFromTheProvider) {
  real_.sim().Control({{"latency_ms", 60'000}});
  CallOptions options;
  options.request_id = "long";
  auto future = client_.ChatAsync(Prompt("Hi"), options);
  real_.WaitForAttempts(1);
  EXPECT_TRUE(client_.Cancel("long").value());
  EXPECT_EQ(future.get().error().type, ErrorType::kCancelled);
}

TEST_F(DaemonTest, ADeadlineEndsTheCall) {
  real_.sim().Control({{"latency_ms", 60'000}});
  CallOptions options;
  options.deadline = std::chrono::milliseconds(300);
  EXPECT_EQ(client_.Chat(Prompt("Hi"), options).error().type, ErrorType::kDeadlineExceeded);
}

TEST_F(DaemonTest, TheSameIdAndRequestIsAnsweredFromTheRecords) {
  CallOptions options;
  options.request_id = "once";
  ASSERT_FALSE(client_.Chat(Prompt("Hi"), options)->replayed);
  EXPECT_TRUE(client_.Chat(Prompt("Hi"), options)->replayed);
  EXPECT_EQ(client_.Chat(Prompt("Ho"), options).error().type, ErrorType::kRequestIdConflict);
}

TEST_F(DaemonTest, ARequestOverTheDaemonsLimitIsRefusedWhicheverSideSeesIt) {
  ChatRequest request = Prompt(std::string(std::size_t{17} << 20, 'x'));
  EXPECT_EQ(client_.Chat(request).error().type, ErrorType::kPayloadTooLarge);
  ClientOptions generous = real_.options();
  generous.max_payload_bytes = std::size_t{64} << 20;
  Client client(generous);
  EXPECT_EQ(client.Chat(request).error().type, ErrorType::kPayloadTooLarge);
}

TEST_F(DaemonTest, WhatTheSafetyFilterRefusesSaysSo) {
  real_.sim().Control({{"safety", "prompt"}});
  const Error error = client_.Chat(Prompt("Hi")).error();
  EXPECT_EQ(error.type, ErrorType::kContentBlocked);
  EXPECT_THAT(error.message, HasSubstr("safety"));
}

TEST_F(DaemonTest, TheCInterfaceStreamsAndCancels) {
  const std::string endpoint = real_.endpoint();
  const rr_options options = {sizeof options, endpoint.c_str(), 0, 0, 0};
  rr_client* client = rr_client_new(&options);
  const char* json = nullptr;

  rr_call* call = rr_call_start(client, "chat", R"({"prompt":"Hello","stream":true})", nullptr);
  int events = 0;
  while (rr_call_next(call, -1, &json) == RR_EVENT) ++events;
  EXPECT_GT(events, 0);
  EXPECT_THAT(json, HasSubstr("this is turn 1"));
  rr_call_free(call);

  real_.sim().Control({{"latency_ms", 60'000}});
  call = rr_call_start(client, "chat", R"({"prompt":"long"})", nullptr);
  real_.WaitForAttempts(2);
  rr_call_cancel(call);
  EXPECT_EQ(rr_call_next(call, -1, &json), RR_ERROR);
  EXPECT_THAT(json, HasSubstr(R"("type":"cancelled")"));
  rr_call_free(call);
  rr_client_free(client);
}

}  // namespace
}  // namespace requestrouter
