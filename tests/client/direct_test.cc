#include "requestrouter/direct.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <stdexcept>
#include <thread>

#include "requestrouter/requestrouter_direct.h"
#include "tests/client/real_daemon.h"
#include "tests/support/sim.h"

// Direct mode in C++ and C: alone, and where no daemon answers.
namespace requestrouter {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::Prompt;

constexpr const char* kNowhere = "ipc:///nonexistent/router.sock";

class DirectTest : public ::testing::Test {
 protected:
  DirectTest() {
    for (const auto& [name, value] : support::DaemonProcess::BaseUrls(sim_.url())) {
      setenv(name.c_str(), value.c_str(), 1);
    }
  }
  ~DirectTest() override { unsetenv("LLM_MULTI_KEY_ROUTER_ENABLED"); }

  void WaitForAttempt() {
    while (sim_.StatsOfKey("secret")["requests"] < 1) std::this_thread::yield();
  }

  static ClientOptions NoDaemon() {
    ClientOptions options;
    options.endpoint = kNowhere;
    options.connect_timeout = milliseconds(20);
    return options;
  }

  support::Sim sim_{{"secret:rpm=100000,tpm=1000000000"}};
  const DirectOptions options_{"secret", ""};
};

TEST_F(DirectTest, EachDialectAnswersWithTheRoutersFields) {
  DirectClient client(options_);
  for (const auto& [model, provider] : {std::pair{"gemini-2.5-flash", "gemini"},
                                        {"gpt-5-mini", "openai"},
                                        {"claude-sonnet-4-5", "anthropic"}}) {
    ChatRequest request = Prompt("Hello");
    request.model_preference = model;
    const auto reply = client.Chat(request);
    ASSERT_TRUE(reply) << reply.error().message;
    EXPECT_EQ(reply->content, "You said: Hello; this is turn 1.");
    EXPECT_EQ(reply->provider, provider);
    EXPECT_EQ(reply->key_id, "direct");
    EXPECT_FALSE(reply->persisted);
  }
}

TEST_F(DirectTest, AStreamsPiecesAreTheAnswer) {
  DirectClient client(options_);
  std::string text;
  const auto reply = client.ChatStream(Prompt("Hello"), [&text](const ChatEvent& event) {
    text += std::get<ChatDelta>(event).text;
    return true;
  });
  ASSERT_TRUE(reply) << reply.error().message;
  EXPECT_EQ(text, reply->content);
}

TEST_F(DirectTest, ACallbackThatThrowsCancelsItsChatAndIsNamed) {
  sim_.Control({{"stream_delta_ms", 600'000}, {"stream_deltas", 3}});
  DirectClient client(options_);
  const Error error =
      client
          .ChatStream(Prompt("Hello"),
                      [](const ChatEvent&) -> bool { throw std::runtime_error("boom"); })
          .error();
  EXPECT_EQ(error.type, ErrorType::kCancelled);
  EXPECT_THAT(error.message, HasSubstr("boom"));
}

TEST_F(DirectTest, ADeadlineEndsTheCallAndOneOutOfRangeIsRefused) {
  sim_.Control({{"latency_ms", 600'000}});
  DirectClient client(options_);
  CallOptions call;
  call.deadline = milliseconds(100);
  EXPECT_EQ(client.Chat(Prompt("Hello"), call).error().type, ErrorType::kDeadlineExceeded);
  for (const auto wrong :
       {milliseconds(0), milliseconds(std::chrono::hours(24)) + milliseconds(1)}) {
    call.deadline = wrong;
    EXPECT_EQ(client.Chat(Prompt("Hello"), call).error().type, ErrorType::kInvalidRequest);
  }
}

TEST_F(DirectTest, DestroyingTheClientCompletesItsCalls) {
  sim_.Control({{"latency_ms", 600'000}});
  auto client = std::make_unique<DirectClient>(options_);
  std::thread blocked([&asked = *client] {
    EXPECT_EQ(asked.Chat(Prompt("Hello")).error().type, ErrorType::kClientClosed);
  });
  WaitForAttempt();
  client.reset();
  blocked.join();
}

TEST_F(DirectTest, AClientAloneNeverCallsAProvider) {
  setenv("GEMINI_API_KEY", "secret", 1);
  Client client(NoDaemon());
  EXPECT_EQ(client.Chat(Prompt("Hello")).error().type, ErrorType::kNoDaemon);
  unsetenv("GEMINI_API_KEY");
  EXPECT_THAT(sim_.Stats()["recent"], IsEmpty());
}

TEST_F(DirectTest, AFallbackClientCallsTheProviderWhereNoDaemonAnswersAndSaysSo) {
  FallbackClient client(NoDaemon(), options_);
  const auto reply = client.Chat(Prompt("Hello"));
  ASSERT_TRUE(reply) << reply.error().message;
  EXPECT_EQ(reply->key_id, "direct");
  EXPECT_THAT(reply->warnings, ElementsAre(HasSubstr("no daemon answered")));
}

TEST_F(DirectTest, AFallbackClientKeepsToTheDaemonThatAnswers) {
  testing::RealDaemon real;
  FallbackClient client(real.options(), options_);
  const auto reply = client.Chat(Prompt("Hello"));
  ASSERT_TRUE(reply) << reply.error().message;
  EXPECT_EQ(reply->key_id, "k1");
  ChatRequest refused = Prompt("Hello");
  refused.model_preference = "gemini-of-nobody";
  refused.allow_fallback = false;
  EXPECT_EQ(client.Chat(refused).error().type, ErrorType::kNotFound);
  EXPECT_THAT(sim_.Stats()["recent"], IsEmpty());
}

TEST_F(DirectTest, AFallbackClientDoesNotRepeatWhatMustNotBeRepeated) {
  FallbackClient client(NoDaemon(), options_);
  ChatRequest request = Prompt("Hello");
  request.on_unknown = OnUnknown::kFail;
  EXPECT_EQ(client.Chat(request).error().type, ErrorType::kNoDaemon);
}

TEST_F(DirectTest, TheFlagSwitchesAFallbackClientAtEachCall) {
  testing::RealDaemon real;
  FallbackClient client(real.options(), options_);
  setenv("LLM_MULTI_KEY_ROUTER_ENABLED", "False", 1);
  const auto direct = client.Chat(Prompt("Hello"));
  ASSERT_TRUE(direct) << direct.error().message;
  EXPECT_EQ(direct->key_id, "direct");
  EXPECT_THAT(direct->warnings, IsEmpty());
  setenv("LLM_MULTI_KEY_ROUTER_ENABLED", "true", 1);
  EXPECT_EQ(client.Chat(Prompt("Hello"))->key_id, "k1");
}

struct FreeC {
  void operator()(rr_client* client) const { rr_client_free(client); }
  void operator()(rr_direct* direct) const { rr_direct_free(direct); }
  void operator()(char* text) const { rr_direct_text_free(text); }
};

class DirectInC : public DirectTest {
 protected:
  // The text of the answer, and in `failed_` whether it is an error.
  std::string Chat(const char* endpoint, const std::string& body,
                   rr_direct_event on_event = nullptr, void* context = nullptr) {
    const rr_options options = {sizeof options, endpoint, 20, 0, 0};
    const std::unique_ptr<rr_client, FreeC> router(rr_client_new(&options));
    const std::unique_ptr<rr_direct, FreeC> direct(rr_direct_new("secret", nullptr));
    char* json = nullptr;
    failed_ = rr_fallback_chat(router.get(), direct.get(), body.c_str(), 60'000, on_event, context,
                               &json) != 0;
    const std::unique_ptr<char, FreeC> owned(json);
    return json ? json : "";
  }

  bool failed_ = false;
};

TEST_F(DirectInC, AChatGoesToTheProviderWhereNoDaemonAnswers) {
  const std::string reply = Chat(kNowhere, R"({"prompt":"Hello"})");
  EXPECT_FALSE(failed_) << reply;
  EXPECT_THAT(reply, HasSubstr(R"("key_id":"direct")"));
  EXPECT_THAT(reply, HasSubstr("no daemon answered"));
}

TEST_F(DirectInC, AStreamGivesItsEventsToTheFunction) {
  int events = 0;
  const std::string reply = Chat(
      kNowhere, R"({"prompt":"Hello","stream":true})",
      [](void* context, const char*) { return ++*static_cast<int*>(context); }, &events);
  EXPECT_FALSE(failed_) << reply;
  EXPECT_GT(events, 1);
}

TEST_F(DirectInC, ADaemonThatAnswersIsKeptTo) {
  testing::RealDaemon real;
  const std::string endpoint = real.endpoint();
  EXPECT_THAT(Chat(endpoint.c_str(), R"({"prompt":"Hello"})"), HasSubstr(R"("key_id":"k1")"));
  EXPECT_THAT(Chat(endpoint.c_str(), R"({"prompt":7})"), HasSubstr("invalid_request"));
  EXPECT_TRUE(failed_);
}

TEST_F(DirectInC, WhatMustNotBeRepeatedIsNot) {
  EXPECT_THAT(Chat(kNowhere, R"({"prompt":"Hello","on_unknown":"fail"})"),
              HasSubstr(R"("type":"no_daemon")"));
  EXPECT_TRUE(failed_);
}

}  // namespace
}  // namespace requestrouter
