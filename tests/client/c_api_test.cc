#include "tests/client/c_api_test.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <memory>
#include <utility>

#include "tests/client/fake_router.h"

namespace requestrouter {
namespace {

using testing::FakeRouter;
using ::testing::MatchesRegex;
using testing::Responder;
using testing::Value;

struct Free {
  void operator()(rr_client* client) const { rr_client_free(client); }
  void operator()(rr_call* call) const { rr_call_free(call); }
};
using ClientPtr = std::unique_ptr<rr_client, Free>;
using CallPtr = std::unique_ptr<rr_call, Free>;

class CApiTest : public ::testing::Test {
 protected:
  ClientPtr NewClient() const {
    const std::string endpoint = router_.endpoint();
    rr_options options = {sizeof options, endpoint.c_str(), 0, 0, 0};
    return ClientPtr(rr_client_new(&options));
  }
  static CallPtr Start(const ClientPtr& client, const char* op, const char* body = nullptr) {
    return CallPtr(rr_call_start(client.get(), op, body, nullptr));
  }
  static std::pair<rr_status, std::string> Next(const CallPtr& call, std::int64_t timeout_ms = -1) {
    const char* json = nullptr;
    const rr_status status = rr_call_next(call.get(), timeout_ms, &json);
    return {status, json};
  }
  static std::string ErrorType(const CallPtr& call) {
    const auto [status, json] = Next(call);
    EXPECT_EQ(status, RR_ERROR) << json;
    return Value::parse(json).at("type");
  }

  FakeRouter router_;
};

TEST_F(CApiTest, AProgramInCStreamsAnAnswer) {
  router_.On("chat", [](const Value&, Responder& out) {
    out.Event({{"seq", 0}, {"delta", {{"text", "Hel"}}}});
    out.Event({{"seq", 1}, {"delta", {{"text", "lo"}}}});
    out.Final({{"content", "Hello"}});
  });
  router_.Start();
  std::array<char, 64> content;
  EXPECT_EQ(CountEventsInC(router_.endpoint().c_str(), content.data(), content.size()), 2);
  EXPECT_STREQ(content.data(), R"({"content":"Hello"})");
  EXPECT_EQ(router_.Received("chat").at(0).at("id"), "from-c");
}

TEST_F(CApiTest, TheVersionIsANumber) {
  EXPECT_THAT(rr_version(), MatchesRegex("[0-9]+\\.[0-9]+\\.[0-9]+"));
}

TEST_F(CApiTest, AnAnswerThatIsNotThereYetIsATimeout) {
  router_.On("chat", [](const Value&, Responder&) {});
  router_.Start();
  const ClientPtr client = NewClient();
  const CallPtr call = Start(client, "chat", R"({"prompt":"Hi"})");
  EXPECT_EQ(Next(call, 0), std::pair(RR_TIMEOUT, std::string()));
}

TEST_F(CApiTest, BadArgumentsAreErrorsOfTheCall) {
  const ClientPtr client = NewClient();
  EXPECT_EQ(ErrorType(Start(client, "chat", "{")), "invalid_request");
  EXPECT_EQ(ErrorType(Start(client, nullptr)), "invalid_request");
  EXPECT_EQ(ErrorType(Start(client, "chat",
                            R"({"prompt":")"
                            "\xFF"
                            R"("})")),
            "invalid_request");
  rr_call_options options = {sizeof options, nullptr, -1, 0};
  EXPECT_EQ(ErrorType(CallPtr(rr_call_start(client.get(), "ping", nullptr, &options))),
            "invalid_request");
}

TEST_F(CApiTest, EachBadUseHasItsErrorType) {
  const std::string endpoint = router_.endpoint();
  rr_options options = {sizeof options, endpoint.c_str(), 50, 50, 1000};
  const ClientPtr client(rr_client_new(&options));
  EXPECT_EQ(ErrorType(Start(client, "chat", R"({"prompt":"nobody there"})")), "no_daemon");
  router_.On("chat", [](const Value& request, Responder& out) {
    out.Raw({{"v", 2}, {"id", request.at("id")}, {"final", true}});
  });
  router_.On("models", [](const Value&, Responder& out) {
    out.Fail("unsupported_version", "version 1 is not supported; 2 is");
  });
  router_.Start();
  const ClientPtr patient = NewClient();
  EXPECT_EQ(ErrorType(Start(patient, "chat", R"({"prompt":"to a newer daemon"})")),
            "unsupported_version");
  EXPECT_EQ(ErrorType(Start(patient, "models")), "unsupported_version");
  EXPECT_EQ(ErrorType(Start(patient, "dance")), "unknown_op");
  rr_options small = {sizeof small, endpoint.c_str(), 0, 0, 1000};
  const ClientPtr bounded(rr_client_new(&small));
  const std::string body = R"({"prompt":")" + std::string(1000, 'x') + R"("})";
  EXPECT_EQ(ErrorType(Start(bounded, "chat", body.c_str())), "payload_too_large");
}

TEST_F(CApiTest, ACallerBuiltAgainstAnOlderHeaderGivesFewerOptions) {
  rr_options options = {offsetof(rr_options, connect_timeout_ms), "nonsense", -1, -1, 1};
  const ClientPtr client(rr_client_new(&options));
  EXPECT_EQ(ErrorType(Start(client, "ping")), "invalid_request");
}

TEST_F(CApiTest, ACancelledCallEndsAsTheDaemonSays) {
  router_.On("chat", [](const Value&, Responder&) {});
  router_.On("cancel", [](const Value& request, Responder& out) {
    out.FailOther(request.at("body").at("id"), "cancelled", "as asked");
    out.Final({{"cancelled", true}});
  });
  router_.Start();
  const ClientPtr client = NewClient();
  const CallPtr call = Start(client, "chat", R"({"prompt":"Hi"})");
  router_.WaitFor("chat", 1);
  rr_call_cancel(call.get());
  EXPECT_EQ(ErrorType(call), "cancelled");
  EXPECT_EQ(Next(call).first, RR_ENDED);
}

TEST_F(CApiTest, FreeingACallThatRunsCancelsIt) {
  router_.On("chat", [](const Value&, Responder&) {});
  router_.Answer("cancel", {{"cancelled", true}});
  router_.Start();
  const ClientPtr client = NewClient();
  CallPtr call = Start(client, "chat", R"({"prompt":"Hi"})");
  router_.WaitFor("chat", 1);
  const std::string id = rr_call_id(call.get());
  call.reset();
  EXPECT_EQ(router_.WaitFor("cancel", 1).at(0).at("body").at("id"), id);
}

TEST_F(CApiTest, CallsOutliveTheirClient) {
  router_.On("chat", [](const Value&, Responder&) {});
  router_.Start();
  ClientPtr client = NewClient();
  const CallPtr call = Start(client, "chat", R"({"prompt":"Hi"})");
  client.reset();
  EXPECT_EQ(ErrorType(call), "client_closed");
  rr_call_cancel(call.get());
}

TEST_F(CApiTest, AForkedChildMayUseTheClientAndFreeTheCallsOfItsParent) {
  router_.On("chat", [](const Value&, Responder&) {});
  router_.Answer("ping", Value::object());
  router_.Start();
  const ClientPtr client = NewClient();
  CallPtr call = Start(client, "chat", R"({"prompt":"Hi"})");
  router_.WaitFor("chat", 1);
  const pid_t child = fork();
  if (child == 0) {
    const char* json = nullptr;
    const bool ended = rr_call_next(call.get(), -1, &json) == RR_ERROR;
    call.reset();
    const CallPtr ping = Start(client, "ping");
    _exit(ended && rr_call_next(ping.get(), -1, &json) == RR_REPLY ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(Next(call, 0).first, RR_TIMEOUT);
}

}  // namespace
}  // namespace requestrouter
