#include <gtest/gtest.h>

#include <atomic>
#include <set>

#include "requestrouter/client.h"
#include "tests/client/fake_router.h"

// A daemon that goes away and comes back in the middle of requests.
namespace requestrouter {
namespace {

using testing::FakeRouter;
using testing::Responder;
using testing::Value;

Value Answer(const std::string& content) {
  return {{"success", true},
          {"content", content},
          {"model", "m"},
          {"model_requested", ""},
          {"provider", "p"},
          {"key_id", "k"},
          {"tokens", {{"input", 1}, {"output", 1}, {"total", 2}, {"cached", 0}, {"reasoning", 0}}},
          {"finish_reason", "stop"},
          {"tool_calls", Value::array()},
          {"conversation_id", ""},
          {"attempts", 1},
          {"waited_ms", 0},
          {"duration_ms", 1},
          {"fallback", false},
          {"persisted", false},
          {"replayed", false},
          {"warnings", Value::array()}};
}

void Silence(const Value&, Responder&) {}

ChatRequest Prompt() {
  ChatRequest request;
  request.prompt = "Hi";
  return request;
}

ClientOptions OptionsFor(const FakeRouter& router) {
  ClientOptions options;
  options.endpoint = router.endpoint();
  return options;
}

TEST(Restart, AnUnansweredRequestIsAskedAgainUnderTheSameId) {
  FakeRouter router;
  router.On("chat", Silence);
  router.Start();
  Client client(OptionsFor(router));
  CallOptions options;
  options.deadline = std::chrono::seconds(60);
  auto future = client.ChatAsync(Prompt(), options);
  router.WaitFor("chat", 1);
  router.Stop();
  router.On("chat", [](const Value&, Responder& out) { out.Final(Answer("second daemon")); });
  router.Start();
  const auto reply = future.get();
  ASSERT_TRUE(reply) << reply.error().message;
  EXPECT_EQ(reply->content, "second daemon");
  const auto requests = router.Received("chat");
  ASSERT_EQ(requests.size(), 2u);
  EXPECT_EQ(requests[0].at("id"), requests[1].at("id"));
  EXPECT_EQ(requests[0].at("body"), requests[1].at("body"));
  EXPECT_LE(requests[1].at("deadline_ms"), requests[0].at("deadline_ms"));
}

TEST(Restart, ADrainingDaemonIsAskedAgain) {
  FakeRouter router;
  std::atomic<int> asked{0};
  router.On("chat", [&asked](const Value&, Responder& out) {
    if (asked++ == 0) {
      out.Fail("shutting_down", "draining", {{"retryable", true}});
    } else {
      out.Final(Answer("after the drain"));
    }
  });
  router.Start();
  Client client(OptionsFor(router));
  const auto reply = client.Chat(Prompt());
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->content, "after the drain");
}

TEST(Restart, ABegunStreamEndsInterruptedWithWhatCame) {
  FakeRouter router;
  router.On("chat", [](const Value&, Responder& out) {
    out.Event({{"seq", 0}, {"delta", {{"text", "Hel"}}}});
  });
  router.Start();
  Client client(OptionsFor(router));
  const auto reply = client.ChatStream(Prompt(), [&router](const ChatEvent& event) {
    if (std::holds_alternative<ChatDelta>(event)) router.Stop();
    return true;
  });
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().type, ErrorType::kUpstreamUnavailable);
  EXPECT_EQ(reply.error().details_json, R"({"interrupted":true})");
  EXPECT_EQ(reply.error().partial_content, "Hel");
}

TEST(Restart, ADaemonThatStaysAwayIsReportedAfterTheReconnectTimeout) {
  FakeRouter router;
  router.On("chat", Silence);
  router.Start();
  ClientOptions options = OptionsFor(router);
  options.connect_timeout = options.reconnect_timeout = std::chrono::milliseconds(50);
  Client client(options);
  auto future = client.ChatAsync(Prompt());
  // It may be given up before it is sent where this machine is slow; both are the same error.
  while (router.Received("chat").empty() &&
         future.wait_for(std::chrono::milliseconds(1)) != std::future_status::ready) {
  }
  router.Stop();
  EXPECT_EQ(future.get().error().type, ErrorType::kNoDaemon);
}

TEST(Restart, AHundredCallsInFlightOverThreeRestartsAreAnsweredOnceEach) {
  constexpr int kCalls = 100;
  FakeRouter router;
  router.On("chat", Silence);
  router.Start();
  Client client(OptionsFor(router));
  std::vector<std::future<Result<ChatReply>>> futures;
  for (int i = 0; i < kCalls; ++i) futures.push_back(client.ChatAsync(Prompt()));
  for (int restart = 1; restart <= 3; ++restart) {
    router.WaitFor("chat", static_cast<std::size_t>(restart) * kCalls);
    router.Stop();
    if (restart == 3) {
      router.On("chat", [](const Value&, Responder& out) { out.Final(Answer("at last")); });
    }
    router.Start();
  }
  for (auto& future : futures) EXPECT_EQ(future.get().value().content, "at last");
  std::set<std::string> ids;
  for (const Value& request : router.Received("chat")) ids.insert(request.at("id"));
  EXPECT_EQ(ids.size(), static_cast<std::size_t>(kCalls));
}

}  // namespace
}  // namespace requestrouter
