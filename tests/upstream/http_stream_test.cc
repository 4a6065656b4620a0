#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>

#include "tests/upstream/http_fixture.h"

// Answers that come in pieces.
namespace requestrouter::upstream {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

HttpServer::Script Once(std::string response) {
  return [response](Connection& connection) {
    connection.Read();
    connection.Write(response);
  };
}

TEST(HttpStream, DeltasComeAsTheyAreSaidAndTheAnswerAtTheEnd) {
  Gate first_seen;
  HttpFixture http([&](Connection& connection) {
    connection.Read();
    connection.Write(StreamHead() + Event("Hel"));
    first_seen.Wait();
    connection.Write(Event("lo") + Event("[DONE]"));
  });
  http.client.Send(StreamedAttempt(1, http.server.url()));
  http.reports.WaitForText(1, 3);
  EXPECT_EQ(http.reports.Text(1), "Hel");
  first_seen.Open();
  const Outcome outcome = http.reports.WaitForOutcome(1);
  EXPECT_EQ(outcome.transport, Transport::kOk);
  EXPECT_TRUE(outcome.streamed);
  ASSERT_TRUE(outcome.answer);
  EXPECT_EQ(outcome.answer->content, "Hello");
  EXPECT_EQ(http.reports.Deltas(1), 2u);
}

TEST(HttpStream, AServerThatNamesNoContentTypeStreamsAllTheSame) {
  HttpFixture http(Once(StreamHead("") + Event("a") + Event("[DONE]")));
  const Outcome outcome = http.AskForAStream();
  EXPECT_EQ(outcome.transport, Transport::kOk);
  EXPECT_EQ(http.reports.Text(1), "a");
}

TEST(HttpStream, AServerThatDoesNotStreamIsReadAsAWhole) {
  for (const char* type : {"application/json; charset=utf-8", "text/plain", ""}) {
    HttpFixture http(Once(StreamHead(type) + "ok:all at once"));
    const Outcome outcome = http.AskForAStream();
    EXPECT_EQ(outcome.transport, Transport::kOk) << type;
    EXPECT_FALSE(outcome.streamed);
    ASSERT_TRUE(outcome.answer);
    EXPECT_EQ(outcome.answer->content, "all at once");
  }
}

TEST(HttpStream, AnHtmlPageInPlaceOfAStreamIsUnreadable) {
  HttpFixture http(Once(StreamHead("text/html") + "<html>\ndata: no\n\n</html>"));
  const Outcome outcome = http.AskForAStream();
  EXPECT_EQ(outcome.transport, Transport::kUnreadable);
  EXPECT_FALSE(outcome.streamed);
  EXPECT_THAT(outcome.error_message, HasSubstr("text/html"));
}

TEST(HttpStream, AnErrorStatusInPlaceOfAStreamIsAnError) {
  HttpFixture http(Once(Reply(503, "{}", "Content-Type: text/event-stream\r\n")));
  const Outcome outcome = http.AskForAStream();
  EXPECT_EQ(outcome.transport, Transport::kOk);
  EXPECT_EQ(outcome.status, 503);
  EXPECT_TRUE(outcome.error);
  EXPECT_FALSE(outcome.answer);
}

TEST(HttpStream, AnErrorInMidStreamEndsTheAnswerWithWhatWasSaid) {
  HttpFixture http(Once(StreamHead() + Event("a") + Event("error:overloaded_error")));
  const Outcome outcome = http.AskForAStream();
  EXPECT_EQ(outcome.transport, Transport::kInterrupted);
  ASSERT_TRUE(outcome.error);
  EXPECT_EQ(outcome.error->code, "overloaded_error");
  EXPECT_TRUE(outcome.streamed);
  ASSERT_TRUE(outcome.answer);
  EXPECT_EQ(outcome.answer->content, "a");
}

TEST(HttpStream, AnErrorAtTheBeginningOfAStreamWasNotStreamed) {
  HttpFixture http(Once(StreamHead() + Event("error:overloaded_error")));
  const Outcome outcome = http.AskForAStream();
  EXPECT_EQ(outcome.transport, Transport::kInterrupted);
  EXPECT_FALSE(outcome.streamed);
}

TEST(HttpStream, AnEventThatCannotBeReadEndsTheStream) {
  HttpFixture http([](Connection& connection) {
    connection.Read();
    connection.Write(StreamHead() + Event("a") + Event("unreadable") + Event("b"));
    connection.WaitUntilTheClientCloses();
  });
  const Outcome outcome = http.AskForAStream();
  EXPECT_EQ(outcome.transport, Transport::kUnreadable);
  EXPECT_THAT(outcome.error_message, HasSubstr("not an event of mine"));
  EXPECT_EQ(http.reports.Text(1), "a");
}

TEST(HttpStream, AStreamThatEndsBeforeItsAnswerDoesIsInterrupted) {
  HttpFixture http(Once(StreamHead() + Event("a")));
  const Outcome outcome = http.AskForAStream();
  EXPECT_EQ(outcome.transport, Transport::kInterrupted);
  EXPECT_THAT(outcome.error_message, HasSubstr("before the answer was complete"));
}

TEST(HttpStream, AResetInMidStreamIsInterrupted) {
  Gate seen;
  HttpFixture http([&](Connection& connection) {
    connection.Read();
    connection.Write(StreamHead() + Event("a"));
    seen.Wait();
    connection.Reset();
  });
  http.client.Send(StreamedAttempt(1, http.server.url()));
  http.reports.WaitForText(1, 1);
  seen.Open();
  const Outcome outcome = http.reports.WaitForOutcome(1);
  EXPECT_EQ(outcome.transport, Transport::kInterrupted);
  EXPECT_TRUE(outcome.streamed);
}

TEST(HttpStream, ACompleteAnswerCountsHoweverItsConnectionEnds) {
  // A chunked body without its last chunk.
  HttpFixture http([](Connection& connection) {
    connection.Read();
    connection.Write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n18\r\n");
    connection.Write(Event("ab") + Event("[DONE]") + "\r\n");
  });
  const Outcome outcome = http.AskForAStream();
  EXPECT_EQ(outcome.transport, Transport::kOk);
  EXPECT_EQ(outcome.error_message, "");
  EXPECT_EQ(outcome.answer->content, "ab");
}

TEST(HttpStream, ACompleteAnswerDoesNotWaitForAServerThatForgetsToHangUp) {
  TransferOptions options = PlainOptions();
  options.linger = milliseconds(20);
  HttpFixture http(
      [](Connection& connection) {
        connection.Read();
        connection.Write(StreamHead() + Event("a") + Event("[DONE]"));
        connection.WaitUntilTheClientCloses();
      },
      options);
  const Outcome outcome = http.AskForAStream();
  EXPECT_EQ(outcome.transport, Transport::kOk);
  EXPECT_EQ(outcome.answer->content, "a");
}

TEST(HttpStream, AStreamBeyondTheBoundEnds) {
  TransferOptions options = PlainOptions();
  options.max_body_bytes = 10'000;
  HttpFixture http(
      [](Connection& connection) {
        connection.Read();
        connection.Write(StreamHead());
        while (connection.Write(Event("0123456789"))) {
        }
      },
      options);
  const Outcome outcome = http.AskForAStream();
  EXPECT_EQ(outcome.transport, Transport::kUnreadable);
  EXPECT_THAT(outcome.error_message, HasSubstr("10000 bytes"));
}

TEST(HttpStream, AMegabyteInTenThousandDeltasArrivesWhole) {
  std::string response = StreamHead();
  for (int i = 0; i < 10'000; ++i) response += Event(std::string(105, 'x'));
  HttpFixture http(Once(response + Event("[DONE]")));
  const Outcome outcome = http.AskForAStream();
  EXPECT_EQ(outcome.transport, Transport::kOk);
  EXPECT_EQ(http.reports.Deltas(1), 10'000u);
  EXPECT_EQ(outcome.answer->content.size(), 1'050'000u);
}

// Writes events until the client reads no more, and says how much went out.
std::size_t FillTheConnection(Connection& connection) {
  const std::string block = Event(std::string(4'096, 'x'));
  std::size_t written = 0;
  while (connection.HasRoomWithinMs(100)) written += connection.WriteWhatFits(block);
  return written;
}

TEST(HttpStream, APausedStreamHoldsUpItsProviderAndGoesOnWhenResumed) {
  Gate paused, go_on;
  std::atomic<std::size_t> written = 0;
  Gate full;
  HttpFixture http([&](Connection& connection) {
    connection.Read();
    connection.Write(StreamHead() + Event("a"));
    paused.Wait();
    written = FillTheConnection(connection);
    full.Open();
    go_on.Wait();
    connection.Write("\n\n" + Event("[DONE]"));
  });
  http.client.Send(StreamedAttempt(1, http.server.url()));
  http.reports.WaitForText(1, 1);
  http.client.Pause(1);
  // A command that is answered: the pause before it has been obeyed.
  http.client.Send(PlainAttempt(2, "none://"));
  http.reports.WaitForOutcome(2);
  paused.Open();
  full.Wait();
  EXPECT_EQ(http.reports.Text(1), "a");
  EXPECT_FALSE(http.reports.Ended(1));
  http.client.Resume(1);
  go_on.Open();
  const Outcome outcome = http.reports.WaitForOutcome(1);
  EXPECT_EQ(outcome.transport, Transport::kOk);
  EXPECT_GT(outcome.answer->content.size(), written * 9 / 10);
}

TEST(HttpStream, WhilePausedSilenceIsNotTheProvidersFault) {
  Gate paused, over;
  HttpFixture http([&](Connection& connection) {
    connection.Read();
    connection.Write(StreamHead() + Event("a"));
    over.Wait();
    connection.Write(Event("[DONE]"));
  });
  Attempt attempt = StreamedAttempt(1, http.server.url());
  ChangeProvider(attempt, [](Provider& p) { p.idle_timeout = milliseconds(200); });
  http.client.Send(std::move(attempt));
  http.reports.WaitForText(1, 1);
  http.client.Pause(1);
  // Takes longer than the idle time-out of the first, by its own.
  Attempt other = StreamedAttempt(2, http.server.url());
  ChangeProvider(other, [](Provider& p) { p.idle_timeout = milliseconds(300); });
  EXPECT_EQ(http.Run(std::move(other)).transport, Transport::kTimeout);
  EXPECT_FALSE(http.reports.Ended(1));
  http.client.Resume(1);
  over.Open();
  EXPECT_EQ(http.reports.WaitForOutcome(1).transport, Transport::kOk);
}

TEST(HttpStream, APausedStreamCanBeCancelledAndTimesOutInTotal) {
  HttpFixture http([](Connection& connection) {
    connection.Read();
    connection.Write(StreamHead() + Event("a"));
    connection.WaitUntilTheClientCloses();
  });
  http.client.Send(StreamedAttempt(1, http.server.url()));
  http.reports.WaitForText(1, 1);
  http.client.Pause(1);
  http.client.Cancel(1);
  EXPECT_EQ(http.reports.WaitForOutcome(1).transport, Transport::kCancelled);
  Attempt attempt = StreamedAttempt(2, http.server.url());
  attempt.timeout = milliseconds(100);
  http.client.Send(std::move(attempt));
  http.reports.WaitForText(2, 1);
  http.client.Pause(2);
  EXPECT_EQ(http.reports.WaitForOutcome(2).transport, Transport::kTimeout);
}

TEST(HttpStream, ACancelledStreamTellsWhatWasSaid) {
  HttpFixture http([](Connection& connection) {
    connection.Read();
    connection.Write(StreamHead() + Event("half"));
    connection.WaitUntilTheClientCloses();
  });
  http.client.Send(StreamedAttempt(1, http.server.url()));
  http.reports.WaitForText(1, 4);
  http.client.Cancel(1);
  const Outcome outcome = http.reports.WaitForOutcome(1);
  EXPECT_EQ(outcome.transport, Transport::kCancelled);
  ASSERT_TRUE(outcome.answer);
  EXPECT_EQ(outcome.answer->content, "half");
}

}  // namespace
}  // namespace requestrouter::upstream
