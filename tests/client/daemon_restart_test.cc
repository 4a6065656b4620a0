#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <thread>

#include "requestrouter/client.h"
#include "requestrouter/requestrouter.h"
#include "tests/client/real_daemon.h"

// The real daemon is killed and stopped under a hundred clients.
namespace requestrouter {
namespace {

using ::testing::HasSubstr;
using testing::Prompt;
using testing::RealDaemon;

constexpr int kClients = 100;

class DaemonRestart : public ::testing::Test {
 protected:
  // Three ends of the daemon, of both kinds, each followed by a start.
  void KillAndStart() {
    real_.daemon().Kill();
    real_.daemon().Start();
  }
  void StopAndStart() { real_.daemon().Restart(); }

  std::vector<std::unique_ptr<Client>> Clients() const {
    std::vector<std::unique_ptr<Client>> clients;
    for (int i = 0; i < kClients; ++i) {
      clients.push_back(std::make_unique<Client>(real_.options()));
    }
    return clients;
  }

  RealDaemon real_;
};

std::string NameOf(int client, int call) {
  return "client " + std::to_string(client) + " call " + std::to_string(call);
}

TEST_F(DaemonRestart, AHundredClientsThatKeepAskingGetEveryAnswerOnceOverThreeRestarts) {
  constexpr int kCalls = 12;
  real_.sim().Control({{"latency_ms", 30}, {"latency_jitter_ms", 30}});
  const auto clients = Clients();
  std::atomic<int> answered{0};
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < kClients; ++i) {
    threads.emplace_back([&, i] {
      for (int call = 0; call < kCalls; ++call) {
        const auto reply = clients[i]->Chat(Prompt(NameOf(i, call)));
        if (!reply || reply->content != "You said: " + NameOf(i, call) + "; this is turn 1.") {
          ++wrong;
          ADD_FAILURE() << (reply ? reply->content : reply.error().message);
        }
        ++answered;
        answered.notify_one();
      }
    });
  }
  const auto wait_for = [&answered](int count) {
    for (int seen = answered; seen < count; seen = answered) answered.wait(seen);
  };
  wait_for(kClients * kCalls / 4);
  KillAndStart();
  wait_for(kClients * kCalls / 2);
  StopAndStart();
  wait_for(kClients * kCalls * 3 / 4);
  KillAndStart();
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(answered, kClients * kCalls);
  EXPECT_EQ(wrong, 0);
}

TEST_F(DaemonRestart, CallsInFlightAtAHundredClientsOutliveThreeDaemonsAndAreAnsweredOnceEach) {
  constexpr int kCalls = 3;
  constexpr int kAll = kClients * kCalls;
  real_.sim().Control({{"latency_ms", 600'000}});
  std::array<std::atomic<int>, kAll> answers{};
  std::atomic<int> left{kAll};
  const auto clients = Clients();
  for (int i = 0; i < kAll; ++i) {
    clients[i / kCalls]->ChatAsync(Prompt(NameOf(i / kCalls, i % kCalls)), {},
                                   [&answers, &left, i](Result<ChatReply> reply) {
                                     EXPECT_TRUE(reply) << reply.error().message;
                                     ++answers[i];
                                     --left;
                                     left.notify_one();
                                   });
  }
  real_.WaitForAttempts(kAll);
  KillAndStart();
  real_.WaitForAttempts(2 * kAll);
  StopAndStart();
  real_.WaitForAttempts(3 * kAll);
  real_.daemon().Kill();
  real_.sim().Control({{"latency_ms", 0}});
  real_.daemon().Start();
  for (int now = left; now > 0; now = left) left.wait(now);
  for (const auto& count : answers) EXPECT_EQ(count, 1);
}

TEST_F(DaemonRestart, StreamsThatHaveBegunEndInterruptedWithWhatCame) {
  real_.sim().Control({{"stream_delta_ms", 600'000}, {"stream_deltas", 4}});
  for (const bool orderly : {false, true}) {
    const auto clients = Clients();
    std::atomic<int> begun{0};
    std::vector<std::promise<Result<ChatReply>>> done(kClients);
    for (int i = 0; i < kClients; ++i) {
      clients[i]->ChatAsync(
          Prompt(NameOf(i, 0)),
          [&begun](const ChatEvent& event) {
            if (std::holds_alternative<ChatDelta>(event)) {
              ++begun;
              begun.notify_one();
            }
            return true;
          },
          [&done, i](Result<ChatReply> reply) { done[i].set_value(std::move(reply)); });
    }
    for (int seen = begun; seen < kClients; seen = begun) begun.wait(seen);
    orderly ? StopAndStart() : KillAndStart();
    for (auto& promise : done) {
      const auto reply = promise.get_future().get();
      ASSERT_FALSE(reply);
      EXPECT_EQ(reply.error().type, ErrorType::kUpstreamUnavailable) << reply.error().message;
      EXPECT_THAT(reply.error().details_json, HasSubstr(R"("interrupted":true)"));
      EXPECT_THAT(reply.error().partial_content, HasSubstr("You"));
    }
  }
}

TEST_F(DaemonRestart, AHundredCallsOfOneProgramInCOutliveTheDaemon) {
  real_.sim().Control({{"latency_ms", 600'000}});
  const std::string endpoint = real_.endpoint();
  const rr_options options = {sizeof options, endpoint.c_str(), 0, 0, 0};
  rr_client* client = rr_client_new(&options);
  std::vector<rr_call*> calls;
  for (int i = 0; i < kClients; ++i) {
    const std::string body = R"({"prompt":")" + NameOf(0, i) + R"("})";
    calls.push_back(rr_call_start(client, "chat", body.c_str(), nullptr));
  }
  real_.WaitForAttempts(kClients);
  real_.daemon().Kill();
  real_.sim().Control({{"latency_ms", 0}});
  real_.daemon().Start();
  for (int i = 0; i < kClients; ++i) {
    const char* json = nullptr;
    EXPECT_EQ(rr_call_next(calls[i], -1, &json), RR_REPLY) << json;
    EXPECT_THAT(json, HasSubstr(NameOf(0, i) + ";"));
    EXPECT_EQ(rr_call_next(calls[i], 0, &json), RR_ENDED);
    rr_call_free(calls[i]);
  }
  rr_client_free(client);
}

TEST_F(DaemonRestart, ADaemonThatIsKilledAndStaysAwayIsReportedByEveryCall) {
  real_.sim().Control({{"latency_ms", 600'000}});
  ClientOptions options = real_.options();
  options.connect_timeout = options.reconnect_timeout = std::chrono::milliseconds(200);
  auto client = std::make_unique<Client>(options);
  std::vector<std::future<Result<ChatReply>>> futures;
  for (int i = 0; i < kClients; ++i) futures.push_back(client->ChatAsync(Prompt(NameOf(0, i))));
  real_.WaitForAttempts(kClients);
  real_.daemon().Kill();
  for (auto& future : futures) EXPECT_EQ(future.get().error().type, ErrorType::kNoDaemon);
}

}  // namespace
}  // namespace requestrouter
