#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>

#include "tests/upstream/http_fixture.h"

// What goes out, and over which connections.
namespace requestrouter::upstream {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

// Answers every request of a connection with its own body.
void Echo(Connection& connection) {
  while (const auto request = connection.Read()) {
    connection.Write(Reply(200, "ok:" + request->body));
  }
}

TEST(HttpRequest, ThePromptIsPostedAndTheAnswerReported) {
  HttpFixture http(Echo);
  const Outcome outcome = http.Ask();
  EXPECT_EQ(outcome.transport, Transport::kOk);
  EXPECT_EQ(outcome.status, 200);
  ASSERT_TRUE(outcome.answer);
  EXPECT_EQ(outcome.answer->content, "model-a");
  EXPECT_EQ(outcome.error_message, "");
  EXPECT_FALSE(outcome.error);
  EXPECT_FALSE(outcome.streamed);
}

TEST(HttpRequest, TheKeyTravelsInAHeaderAndNotInTheAddress) {
  ServedRequest seen;
  HttpFixture http([&](Connection& connection) {
    seen = *connection.Read();
    connection.Write(Reply(200, "ok:"));
  });
  http.Ask();
  EXPECT_EQ(seen.Header("x-key"), "plain-secret-0123456789");
  EXPECT_THAT(seen.head, StartsWith("POST /chat HTTP/1.1\r\n"));
  EXPECT_EQ(seen.Header("expect"), "");
  EXPECT_THAT(seen.Header("user-agent"), StartsWith("requestrouter/"));
  EXPECT_THAT(seen.Header("accept-encoding"), HasSubstr("gzip"));
}

TEST(HttpRequest, AnEmptyHeaderIsSentEmpty) {
  ServedRequest seen;
  HttpFixture http([&](Connection& connection) {
    seen = *connection.Read();
    connection.Write(Reply(200, "ok:"));
  });
  Attempt attempt = PlainAttempt(1, http.server.url());
  ChangeProvider(attempt, [](Provider& p) { p.headers = {{"x-empty", ""}, {"x-full", "1"}}; });
  http.Run(std::move(attempt));
  EXPECT_THAT(seen.head, HasSubstr("\r\nx-empty:\r\n"));
  EXPECT_THAT(seen.head, HasSubstr("\r\nx-full: 1\r\n"));
}

TEST(HttpRequest, AProvidersHeadersTakeThePlaceOfOurs) {
  ServedRequest seen;
  HttpFixture http([&](Connection& connection) {
    seen = *connection.Read();
    connection.Write(Reply(200, "ok:"));
  });
  Attempt attempt = PlainAttempt(1, http.server.url());
  ChangeProvider(attempt, [](Provider& p) {
    p.headers = {{"User-Agent", "another"}, {"Accept-Encoding", "identity"}};
  });
  http.Run(std::move(attempt));
  EXPECT_THAT(seen.head, HasSubstr("\r\nUser-Agent: another\r\n"));
  EXPECT_THAT(seen.head, HasSubstr("\r\nAccept-Encoding: identity\r\n"));
  EXPECT_THAT(seen.head, Not(HasSubstr("requestrouter/")));
  EXPECT_THAT(seen.head, Not(HasSubstr("gzip")));
}

TEST(HttpRequest, ASecretWithALineEndIsRefusedBeforeAnythingIsSent) {
  HttpFixture http(Echo);
  std::int64_t id = 0;
  for (const char* secret : {"key\r\nX-Evil: 1", "key\n", "ke\ty", "key\x7F"}) {
    Attempt attempt = PlainAttempt(++id, http.server.url());
    attempt.secret = secret;
    const Outcome outcome = http.Run(std::move(attempt));
    EXPECT_EQ(outcome.transport, Transport::kRefusedLocally);
    EXPECT_THAT(outcome.error_message, HasSubstr("x-key"));
    EXPECT_THAT(outcome.error_message, Not(HasSubstr("Evil")));
    EXPECT_EQ(outcome.sent_at, std::chrono::steady_clock::time_point());
  }
  EXPECT_EQ(http.server.connections(), 0);
}

TEST(HttpRequest, APromptThatCannotBeExpressedIsRefusedWithItsReason) {
  HttpFixture http(Echo);
  Attempt attempt = PlainAttempt(1, http.server.url());
  attempt.model = "impossible";
  const Outcome outcome = http.Run(std::move(attempt));
  EXPECT_EQ(outcome.transport, Transport::kRefusedLocally);
  EXPECT_EQ(outcome.error_message, "model: not here");
  EXPECT_EQ(http.server.connections(), 0);
}

TEST(HttpRequest, AMegabyteOfPromptArrivesWhole) {
  HttpFixture http(Echo);
  Attempt attempt = PlainAttempt(1, http.server.url());
  attempt.model.assign(8u << 20, 'x');
  const Outcome outcome = http.Run(std::move(attempt));
  ASSERT_TRUE(outcome.answer);
  EXPECT_EQ(outcome.answer->content.size(), 8u << 20);
}

TEST(HttpRequest, TheConnectionIsUsedAgain) {
  HttpFixture http(Echo);
  for (int id = 1; id <= 20; ++id) EXPECT_EQ(http.Ask(id).transport, Transport::kOk);
  EXPECT_EQ(http.server.connections(), 1);
}

TEST(HttpRequest, AProxyInTheEnvironmentIsNotUsed) {
  setenv("http_proxy", "http://127.0.0.1:1", 1);
  HttpFixture http(Echo);
  EXPECT_EQ(http.Ask().transport, Transport::kOk);
  unsetenv("http_proxy");
}

TEST(HttpRequest, OtherSchemesThanHttpAreNotSpoken) {
  HttpFixture http(Echo);
  std::int64_t id = 0;
  for (const char* url : {"file:///etc", "ftp://127.0.0.1", "gopher://127.0.0.1"}) {
    EXPECT_EQ(http.Run(PlainAttempt(++id, url)).transport, Transport::kNotSent) << url;
  }
}

TEST(HttpRequest, SentAndFirstByteAreTimed) {
  std::chrono::steady_clock::time_point read_at, written_at;
  HttpFixture http([&](Connection& connection) {
    connection.Read();
    read_at = std::chrono::steady_clock::now();
    connection.Write(Reply(200, ""));  // no body: no first byte
    connection.Read();
    written_at = std::chrono::steady_clock::now();
    connection.Write(Reply(200, "ok:"));
  });
  const auto before = std::chrono::steady_clock::now();
  const Outcome empty = http.Ask(1);
  EXPECT_GE(empty.sent_at, before);
  EXPECT_LE(empty.sent_at, read_at);
  EXPECT_EQ(empty.first_byte.count(), 0);
  const Outcome outcome = http.Ask(2);
  EXPECT_GT(outcome.sent_at + outcome.first_byte + std::chrono::milliseconds(1), written_at);
}

TEST(HttpRequest, OnlySoManyAreInFlightAndTheOthersFollowInOrder) {
  TransferOptions options = PlainOptions();
  options.max_connections = 1;
  HttpFixture http(Echo, options);
  std::vector<std::int64_t> ids;
  for (int id = 50; id >= 1; --id) {
    ids.push_back(id);
    http.client.Send(PlainAttempt(id, http.server.url()));
  }
  for (const std::int64_t id : ids) {
    EXPECT_EQ(http.reports.WaitForOutcome(id).transport, Transport::kOk);
  }
  EXPECT_EQ(http.server.connections(), 1);
  EXPECT_EQ(http.reports.order(), ids);
}

TEST(HttpRequest, AnAttemptWhoseTurnDoesNotComeInTimeWasNotSent) {
  Gate over;
  TransferOptions options = PlainOptions();
  options.max_connections = 1;
  HttpFixture http(
      [&](Connection& connection) {
        connection.Read();
        over.Wait();
      },
      options);
  http.client.Send(PlainAttempt(1, http.server.url()));
  Attempt second = PlainAttempt(2, http.server.url());
  second.timeout = std::chrono::milliseconds(20);
  const Outcome outcome = http.Run(std::move(second));
  EXPECT_EQ(outcome.transport, Transport::kNotSent);
  EXPECT_EQ(outcome.sent_at, std::chrono::steady_clock::time_point());
  EXPECT_FALSE(http.reports.Ended(1));
  over.Open();
}

TEST(HttpRequest, HundredsOfSlowCallsAreInFlightAtOnce) {
  constexpr int kCalls = 300;
  std::atomic<int> asked = 0;
  Gate all_asked;
  HttpFixture http([&](Connection& connection) {
    if (!connection.Read()) return;
    if (++asked == kCalls) all_asked.Open();
    all_asked.Wait();
    connection.Write(Reply(200, "ok:"));
  });
  for (int id = 1; id <= kCalls; ++id) http.client.Send(PlainAttempt(id, http.server.url()));
  for (int id = 1; id <= kCalls; ++id) {
    EXPECT_EQ(http.reports.WaitForOutcome(id).transport, Transport::kOk) << id;
  }
}

TEST(HttpRequest, TheClientsEndCancelsWhatIsInFlight) {
  Gate over;
  HttpServer server([&](Connection& connection) {
    connection.Read();
    over.Wait();
  });
  Reports reports;
  {
    Client client(&reports, PlainOptions());
    for (int id = 1; id <= 3; ++id) client.Send(PlainAttempt(id, server.url()));
  }
  over.Open();
  for (int id = 1; id <= 3; ++id) {
    EXPECT_EQ(reports.WaitForOutcome(id).transport, Transport::kCancelled);
  }
}

}  // namespace
}  // namespace requestrouter::upstream
