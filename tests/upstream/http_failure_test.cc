#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>

#include "tests/upstream/http_fixture.h"

// Connections that fail, and time-outs: what is known of the request afterwards.
namespace requestrouter::upstream {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;
using testing::Not;

constexpr std::chrono::steady_clock::time_point kNotAtAll{};

// An address at which nobody listens, for as long as it lives: the port is bound.
class DeafPort {
 public:
  DeafPort() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    bind(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address);
    socklen_t size = sizeof address;
    getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
  }
  ~DeafPort() { close(socket_); }
  DeafPort(const DeafPort&) = delete;
  DeafPort& operator=(const DeafPort&) = delete;

  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }

 private:
  int socket_;
  int port_ = 0;
};

TEST(HttpFailure, WithoutAConnectionNothingWasSent) {
  const DeafPort nobody;
  HttpFixture http([](Connection&) {});
  const Outcome outcome = http.Run(PlainAttempt(1, nobody.url()));
  EXPECT_EQ(outcome.transport, Transport::kNotSent);
  EXPECT_EQ(outcome.status, 0);
  EXPECT_EQ(outcome.sent_at, kNotAtAll);
  EXPECT_NE(outcome.error_message, "");
}

TEST(HttpFailure, AnAddressThatMakesNoSenseWasNotSentTo) {
  HttpFixture http([](Connection&) {});
  std::int64_t id = 0;
  for (const char* url : {"", "http://", "http://[::1", "http://127.0.0.1:99999"}) {
    const Outcome outcome = http.Run(PlainAttempt(++id, url));
    EXPECT_EQ(outcome.transport, Transport::kNotSent) << url;
  }
}

TEST(HttpFailure, ATlsHandshakeThatFailsComesBeforeTheRequest) {
  HttpFixture http([](Connection& connection) { connection.Write("HTTP/1.1 400 Bad\r\n\r\n"); });
  std::string url = http.server.url();
  url.replace(0, 4, "https");
  const Outcome outcome = http.Run(PlainAttempt(1, url));
  EXPECT_EQ(outcome.transport, Transport::kNotSent);
  EXPECT_EQ(outcome.sent_at, kNotAtAll);
}

TEST(HttpFailure, AConnectionThatIsNotAcceptedInTimeWasNotSent) {
  HttpFixture http([](Connection& connection) { connection.WaitUntilTheClientCloses(); });
  std::string url = http.server.url();
  url.replace(0, 4, "https");  // the handshake belongs to connecting, and is never answered
  Attempt attempt = PlainAttempt(1, url);
  ChangeProvider(attempt, [](Provider& p) { p.connect_timeout = milliseconds(30); });
  const Outcome outcome = http.Run(std::move(attempt));
  EXPECT_EQ(outcome.transport, Transport::kNotSent);
  EXPECT_EQ(outcome.sent_at, kNotAtAll);
}

TEST(HttpFailure, AnAnswerThatNeverBeginsTimesOut) {
  HttpFixture http([](Connection& connection) { connection.WaitUntilTheClientCloses(); });
  Attempt attempt = PlainAttempt(1, http.server.url());
  ChangeProvider(attempt, [](Provider& p) { p.first_token_timeout = milliseconds(30); });
  const Outcome outcome = http.Run(std::move(attempt));
  EXPECT_EQ(outcome.transport, Transport::kTimeout);
  EXPECT_NE(outcome.sent_at, kNotAtAll);
  EXPECT_EQ(outcome.error_message, "no answer in time");
}

TEST(HttpFailure, HeadersAloneAreNoAnswer) {
  HttpFixture http([](Connection& connection) {
    connection.Read();
    connection.Write(StreamHead());
    connection.WaitUntilTheClientCloses();
  });
  Attempt attempt = StreamedAttempt(1, http.server.url());
  ChangeProvider(attempt, [](Provider& p) {
    p.idle_timeout = milliseconds(1);  // runs from the first piece of the answer only
    p.first_token_timeout = milliseconds(50);
  });
  const Outcome outcome = http.Run(std::move(attempt));
  EXPECT_EQ(outcome.transport, Transport::kTimeout);
  EXPECT_EQ(outcome.status, 200);
  EXPECT_EQ(outcome.error_message, "no answer in time");
}

TEST(HttpFailure, AnAnswerThatStopsComingTimesOut) {
  HttpFixture http([](Connection& connection) {
    connection.Read();
    connection.Write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nok:");
    connection.WaitUntilTheClientCloses();
  });
  Attempt attempt = PlainAttempt(1, http.server.url());
  ChangeProvider(attempt, [](Provider& p) { p.idle_timeout = milliseconds(30); });
  const Outcome outcome = http.Run(std::move(attempt));
  EXPECT_EQ(outcome.transport, Transport::kTimeout);
  EXPECT_EQ(outcome.error_message, "the answer stopped coming");
}

TEST(HttpFailure, BytesThatComePutTheIdleTimeoutOff) {
  HttpFixture http([](Connection& connection) {
    connection.Read();
    connection.Write(StreamHead());
    const auto until = std::chrono::steady_clock::now() + milliseconds(400);
    // Paced by its own clock: eight times as long as the time-out, never silent for half of it.
    while (std::chrono::steady_clock::now() < until) {
      connection.Write(": keep-alive\n\n");
      connection.WaitForMs(10);
    }
    connection.Write(Event("a") + Event("[DONE]"));
  });
  Attempt attempt = StreamedAttempt(1, http.server.url());
  ChangeProvider(attempt, [](Provider& p) { p.idle_timeout = milliseconds(200); });
  const Outcome outcome = http.Run(std::move(attempt));
  EXPECT_EQ(outcome.transport, Transport::kOk);
  EXPECT_EQ(http.reports.Text(1), "a");
}

TEST(HttpFailure, KeepAlivesAreNoAnswer) {
  HttpFixture http([](Connection& connection) {
    connection.Read();
    connection.Write(StreamHead());
    while (connection.Write(": keep-alive\n\n")) connection.WaitForMs(1);
  });
  Attempt attempt = StreamedAttempt(1, http.server.url());
  ChangeProvider(attempt, [](Provider& p) { p.first_token_timeout = milliseconds(50); });
  const Outcome outcome = http.Run(std::move(attempt));
  EXPECT_EQ(outcome.transport, Transport::kTimeout);
  EXPECT_FALSE(outcome.streamed);
  EXPECT_EQ(outcome.error_message, "no answer in time");
}

TEST(HttpFailure, TheProvidersOwnTotalTimeoutEndsADrip) {
  HttpFixture http([](Connection& connection) {
    connection.Read();
    connection.Write(StreamHead());
    while (connection.Write(Event("a"))) connection.WaitForMs(1);
  });
  Attempt attempt = StreamedAttempt(1, http.server.url());
  ChangeProvider(attempt, [](Provider& p) { p.total_timeout = milliseconds(60); });
  const Outcome outcome = http.Run(std::move(attempt));
  EXPECT_EQ(outcome.transport, Transport::kTimeout);
  EXPECT_TRUE(outcome.streamed);
  EXPECT_EQ(outcome.error_message, "the answer took too long");
}

TEST(HttpFailure, TheTotalTimeoutEndsADrip) {
  HttpFixture http([](Connection& connection) {
    connection.Read();
    connection.Write(StreamHead());
    while (connection.Write(Event("a"))) connection.WaitForMs(1);
  });
  Attempt attempt = StreamedAttempt(1, http.server.url());
  attempt.timeout = milliseconds(60);
  const Outcome outcome = http.Run(std::move(attempt));
  EXPECT_EQ(outcome.transport, Transport::kTimeout);
  EXPECT_TRUE(outcome.streamed);
  ASSERT_TRUE(outcome.answer);
  EXPECT_EQ(outcome.answer->content, http.reports.Text(1));
}

TEST(HttpFailure, AfterTheRequestWasReadALostConnectionLeavesTheOutcomeUnknown) {
  for (const bool reset : {false, true}) {
    HttpFixture http([&](Connection& connection) {
      connection.Read();
      if (reset) connection.Reset();
    });
    const Outcome outcome = http.Ask();
    EXPECT_EQ(outcome.transport, Transport::kInterrupted);
    EXPECT_EQ(outcome.status, 0);
    EXPECT_NE(outcome.sent_at, kNotAtAll);
  }
}

TEST(HttpFailure, AnAnswerCutInItsMiddleIsInterrupted) {
  HttpFixture http([](Connection& connection) {
    connection.Read();
    connection.Write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nok:half");
  });
  const Outcome outcome = http.Ask();
  EXPECT_EQ(outcome.transport, Transport::kInterrupted);
  EXPECT_FALSE(outcome.answer);
}

// curl by itself would send the request again over a new connection.
TEST(HttpFailure, ARequestThatAKeptConnectionSwallowedIsNotSentAgain) {
  std::atomic<int> requests = 0;
  HttpFixture http([&](Connection& connection) {
    if (connection.Read()) ++requests;
    connection.Write(Reply(200, "ok:first"));
    if (connection.Read()) ++requests;  // read, perhaps answered at length: and lost
  });
  EXPECT_EQ(http.Ask(1).transport, Transport::kOk);
  const Outcome outcome = http.Ask(2);
  EXPECT_EQ(outcome.transport, Transport::kInterrupted);
  EXPECT_NE(outcome.sent_at, kNotAtAll);
  EXPECT_EQ(requests, 2);
}

TEST(HttpFailure, AKeptConnectionThatWasClosedMeanwhileIsReplaced) {
  std::atomic<int> closed = 0;
  HttpFixture http([&](Connection& connection) {
    connection.Read();
    connection.Write(Reply(200, "ok:"));
    connection.Close();
    ++closed;
    closed.notify_one();
  });
  for (int id = 1; id <= 200; ++id) {
    EXPECT_EQ(http.Ask(id).transport, Transport::kOk) << id;
    closed.wait(id - 1);
  }
}

TEST(HttpFailure, ACancelledAttemptIsReportedOnceAndItsConnectionClosed) {
  Gate asked, closed;
  HttpFixture http([&](Connection& connection) {
    connection.Read();
    asked.Open();
    connection.WaitUntilTheClientCloses();
    closed.Open();
  });
  http.client.Send(PlainAttempt(1, http.server.url()));
  asked.Wait();
  http.client.Cancel(1);
  http.client.Cancel(1);
  http.client.Cancel(99);
  const Outcome outcome = http.reports.WaitForOutcome(1);
  closed.Wait();
  EXPECT_EQ(outcome.transport, Transport::kCancelled);
  EXPECT_NE(outcome.sent_at, kNotAtAll);
  EXPECT_EQ(http.reports.order().size(), 1u);
}

TEST(HttpFailure, AnAttemptCancelledBeforeItsTurnWasNeverSent) {
  Gate over;
  TransferOptions options = PlainOptions();
  options.max_connections = 1;
  HttpFixture http(
      [&](Connection& connection) {
        connection.Read();
        over.Wait();
        connection.Write(Reply(200, "ok:"));
      },
      options);
  http.client.Send(PlainAttempt(1, http.server.url()));
  http.client.Send(PlainAttempt(2, http.server.url()));
  http.client.Send(PlainAttempt(3, http.server.url()));
  http.client.Cancel(2);
  const Outcome outcome = http.reports.WaitForOutcome(2);
  EXPECT_EQ(outcome.transport, Transport::kCancelled);
  EXPECT_EQ(outcome.sent_at, kNotAtAll);
  over.Open();
  EXPECT_EQ(http.reports.WaitForOutcome(3).transport, Transport::kOk);
}

TEST(HttpFailure, NoMessageNamesTheSecret) {
  const DeafPort nobody;
  HttpFixture http([](Connection&) {});
  EXPECT_THAT(http.Run(PlainAttempt(1, nobody.url())).error_message,
              Not(HasSubstr("plain-secret")));
  EXPECT_THAT(http.Ask(2).error_message, Not(HasSubstr("plain-secret")));
}

}  // namespace
}  // namespace requestrouter::upstream
