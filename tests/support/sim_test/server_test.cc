#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <thread>

#include "tests/support/http_client.h"
#include "tests/support/sim.h"
#include "tests/support/temp_dir.h"

namespace requestrouter::support {
namespace {

constexpr char kQuestion[] =
    R"({"model":"gpt-4o","messages":[{"role":"user","content":"hello"}],"stream":false})";
constexpr char kStreamedQuestion[] =
    R"({"model":"gpt-4o","messages":[{"role":"user","content":"hello"}],"stream":true})";
constexpr std::chrono::milliseconds kShort{200};

class SimulatorOnTheWire : public ::testing::Test {
 protected:
  HttpResult Ask(const char* body = kQuestion,
                 std::chrono::milliseconds timeout = std::chrono::seconds(10)) {
    return Http(sim_.port(), "POST", "/v1/chat/completions", {{"Authorization", "Bearer k"}}, body,
                timeout);
  }
  HttpResult AskWith(const char* fault, const char* body = kQuestion,
                     std::chrono::milliseconds timeout = std::chrono::seconds(10)) {
    sim_.Control({{"faults", Json::array({{{"kind", fault}, {"pace_ms", 1}}})}});
    return Ask(body, timeout);
  }

  Sim sim_;
};

TEST_F(SimulatorOnTheWire, AnswersWholeAndStreamed) {
  const HttpResult whole = Ask();
  EXPECT_TRUE(whole.complete);
  EXPECT_NE(whole.body.find("You said: hello; this is turn 1."), std::string::npos);
  const HttpResult streamed = Ask(kStreamedQuestion);
  EXPECT_TRUE(streamed.complete);
  EXPECT_EQ(streamed.Header("content-type"), "text/event-stream");
  EXPECT_EQ(streamed.body.substr(streamed.body.size() - 14), "data: [DONE]\n\n");
}

TEST_F(SimulatorOnTheWire, WaitsBeforeTheAnswerAndBetweenTheEvents) {
  sim_.Control({{"latency_ms", 40}, {"stream_delta_ms", 5}});
  const auto begin = std::chrono::steady_clock::now();
  const HttpResult result = Ask(kStreamedQuestion);
  EXPECT_TRUE(result.complete);
  // Ten events: nine pauses.
  EXPECT_GE(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(40 + 9 * 5));
}

TEST_F(SimulatorOnTheWire, ResetsBeforeAnyByte) {
  const HttpResult result = AskWith("reset");
  EXPECT_EQ(result.status, 0);
  EXPECT_TRUE(result.reset);
}

TEST_F(SimulatorOnTheWire, ResetsInMidBody) {
  for (const char* question : {kQuestion, kStreamedQuestion}) {
    const HttpResult result = AskWith("reset_mid_body", question);
    EXPECT_FALSE(result.complete);
    EXPECT_TRUE(result.reset);
  }
}

TEST_F(SimulatorOnTheWire, EndsBeforeAllThatItPromised) {
  for (const char* question : {kQuestion, kStreamedQuestion}) {
    const HttpResult result = AskWith("truncated", question);
    EXPECT_EQ(result.status, 200);
    EXPECT_FALSE(result.body.empty());
    EXPECT_FALSE(result.complete);
    EXPECT_FALSE(result.reset);
  }
}

TEST_F(SimulatorOnTheWire, HangsAndNoticesThatTheClientLeft) {
  EXPECT_TRUE(AskWith("hang", kQuestion, kShort).timed_out);
  const HttpResult half = AskWith("hang_mid_body", kStreamedQuestion, kShort);
  EXPECT_TRUE(half.timed_out);
  EXPECT_FALSE(half.body.empty());
  const Json stats = sim_.Stats();
  EXPECT_EQ(stats["totals"]["client_left"], 2);
  EXPECT_EQ(stats["in_flight"], 0);
}

TEST_F(SimulatorOnTheWire, NoticesAClientThatLeavesBeforeALateAnswer) {
  sim_.Control({{"latency_ms", 60'000}});
  EXPECT_TRUE(Ask(kQuestion, std::chrono::milliseconds(50)).timed_out);
  EXPECT_EQ(sim_.Stats()["totals"]["client_left"], 1);
  EXPECT_EQ(sim_.Stats()["recent"][0]["billed"], true);
}

TEST_F(SimulatorOnTheWire, DripsTheWholeAnswer) {
  const std::string plain = Ask().body;
  const HttpResult result = AskWith("slow_drip");
  EXPECT_TRUE(result.complete);
  EXPECT_EQ(result.body.size(), plain.size());
}

TEST_F(SimulatorOnTheWire, SendsWhatNobodyCanRead) {
  const HttpResult cut = AskWith("bad_json");
  EXPECT_TRUE(cut.complete);
  EXPECT_FALSE(Json::accept(cut.body));
  const HttpResult empty = AskWith("empty");
  EXPECT_EQ(empty.status, 200);
  EXPECT_EQ(empty.body, "");
  const HttpResult page = AskWith("html");
  EXPECT_EQ(page.status, 502);
  EXPECT_EQ(page.Header("content-type"), "text/html");
  EXPECT_EQ(AskWith("wrong_content_type").Header("content-type"), "text/plain");
  const HttpResult packed = AskWith("gzip");
  EXPECT_EQ(packed.Header("content-encoding"), "gzip");
  EXPECT_EQ(packed.body.substr(0, 2), "\x1f\x8b");
  EXPECT_NE(AskWith("error_mid_stream", kStreamedQuestion).body.find("server_error"),
            std::string::npos);
}

TEST_F(SimulatorOnTheWire, CountsHowOftenAPromptWasBilled) {
  Ask();
  Ask();
  EXPECT_EQ(sim_.TimesBilled("hello"), 2);
  EXPECT_EQ(sim_.TimesBilled("other"), 0);
  EXPECT_EQ(sim_.StatsOfKey("k")["answered"], 2);
}

TEST(SimulatorThatEnds, DoesNotWaitForOpenRequests) {
  auto sim = std::make_unique<Sim>();
  sim->Control({{"faults", Json::array({{{"kind", "hang"}}})}, {"latency_ms", 1}});
  std::thread client([port = sim->port()] {
    const HttpResult result =
        Http(port, "POST", "/v1/chat/completions", {{"Authorization", "Bearer k"}}, kQuestion);
    EXPECT_EQ(result.status, 0);
    EXPECT_FALSE(result.timed_out);
  });
  while (sim->Stats()["in_flight"] == 0) std::this_thread::yield();
  sim.reset();
  client.join();
}

TEST(SimProcess, AnnouncesItsPortObeysItsFlagsAndEndsWithASummary) {
  const TempDir dir;
  SimProcess sim({"--key", "secret-1:rpm=1", "--port-file", dir.File("port"), "--verbose"});
  EXPECT_EQ(dir.Read("port"), std::to_string(sim.port()) + "\n");
  for (const int status : {200, 429}) {
    EXPECT_EQ(Http(sim.port(), "POST", "/v1/chat/completions",
                   {{"Authorization", "Bearer secret-1"}}, kQuestion)
                  .status,
              status);
  }
  EXPECT_EQ(sim.process().Terminate(), 0);
  EXPECT_NE(sim.process().Output().find("2 requests: 1 answered, 1 rate limited"),
            std::string::npos);
  EXPECT_NE(sim.process().Errors().find("/v1/chat/completions secr… 429"), std::string::npos);
  EXPECT_EQ(sim.process().Errors().find("secret-1"), std::string::npos);
}

TEST(SimProcess, ReadsItsKeysFromAFileAndRefusesAMistakeInIt) {
  const TempDir dir;
  SimProcess sim({"--config", dir.Write("sim.json", R"({"keys":[{"secret":"s","models":
      [{"name":"gpt-4o","rpm":1}],"fault":{"kind":"status","status":503,"count":1}}]})")});
  const auto status = [&] {
    return Http(sim.port(), "POST", "/chat/completions", {{"Authorization", "Bearer s"}}, kQuestion)
        .status;
  };
  EXPECT_EQ(status(), 503);
  EXPECT_EQ(status(), 429);  // the fault took its place in the window
  EXPECT_THROW(
      SimProcess({"--config", dir.Write("bad.json", R"({"keys":[{"secret":"s","rmp":1}]})")}),
      std::runtime_error);
}

}  // namespace
}  // namespace requestrouter::support
