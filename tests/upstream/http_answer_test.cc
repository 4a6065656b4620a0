#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/gzip.h"
#include "tests/upstream/http_fixture.h"

// What comes back whole: answers, errors, and what is neither.
namespace requestrouter::upstream {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::Pair;
using testing::SizeIs;

// One response for every connection.
HttpServer::Script Once(std::string response) {
  return [response](Connection& connection) {
    connection.Read();
    connection.Write(response);
  };
}

TEST(HttpAnswer, AnErrorStatusIsACompleteResponseWithItsError) {
  HttpFixture http(Once(Reply(429, "{\"error\":1}", "Retry-After: 7\r\n")));
  const Outcome outcome = http.Ask();
  EXPECT_EQ(outcome.transport, Transport::kOk);
  EXPECT_EQ(outcome.status, 429);
  EXPECT_FALSE(outcome.answer);
  ASSERT_TRUE(outcome.error);
  EXPECT_TRUE(outcome.error->readable);
  EXPECT_THAT(outcome.headers, Contains(Pair("retry-after", "7")));
}

TEST(HttpAnswer, AnErrorPageIsAnErrorThatCannotBeRead) {
  HttpFixture http(Once(Reply(502, "<html>Bad Gateway</html>", "Content-Type: text/html\r\n")));
  const Outcome outcome = http.Ask();
  EXPECT_EQ(outcome.transport, Transport::kOk);
  EXPECT_EQ(outcome.status, 502);
  ASSERT_TRUE(outcome.error);
  EXPECT_FALSE(outcome.error->readable);
}

TEST(HttpAnswer, ARefusalIsKnownEvenIfTheConnectionIsLostAmidItsBody) {
  HttpFixture http(Once("HTTP/1.1 429 X\r\nContent-Length: 100\r\nRetry-After: 3\r\n\r\n{\"err"));
  const Outcome outcome = http.Ask();
  EXPECT_EQ(outcome.transport, Transport::kOk);
  EXPECT_EQ(outcome.status, 429);
  EXPECT_THAT(outcome.headers, Contains(Pair("retry-after", "3")));
  ASSERT_TRUE(outcome.error);
}

TEST(HttpAnswer, TheBodyOfAnErrorIsReadUpToABound) {
  HttpFixture http(Once(Reply(500, "{" + std::string(1u << 20, 'x'))));
  const Outcome outcome = http.Ask();
  EXPECT_EQ(outcome.transport, Transport::kOk);
  EXPECT_EQ(outcome.status, 500);
  ASSERT_TRUE(outcome.error);
  EXPECT_LE(outcome.error->message.size(), 64u << 10);
}

TEST(HttpAnswer, ABodyThatIsNotTheProvidersIsUnreadable) {
  HttpFixture http(Once(Reply(200, "hello", "Content-Type: text/plain\r\n")));
  const Outcome outcome = http.Ask();
  EXPECT_EQ(outcome.transport, Transport::kUnreadable);
  EXPECT_EQ(outcome.status, 200);
  EXPECT_FALSE(outcome.answer);
  EXPECT_FALSE(outcome.error);
  EXPECT_THAT(outcome.error_message, HasSubstr("text/plain"));
}

TEST(HttpAnswer, AnErrorUnderStatus200IsReadAsOne) {
  for (const bool stream : {false, true}) {
    HttpFixture http(Once(Reply(200, "{\"error\":1}", "Content-Type: application/json\r\n")));
    const Outcome outcome = stream ? http.AskForAStream() : http.Ask();
    EXPECT_EQ(outcome.transport, Transport::kUnreadable);
    ASSERT_TRUE(outcome.error);
    EXPECT_TRUE(outcome.error->readable);
  }
}

TEST(HttpAnswer, AnEmptyBodyIsUnreadable) {
  for (const char* response :
       {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 204 No Content\r\n\r\n"}) {
    HttpFixture http(Once(response));
    EXPECT_EQ(http.Ask().transport, Transport::kUnreadable) << response;
  }
}

TEST(HttpAnswer, WhatIsNotHttpDoesNotCountAsAnAnswer) {
  HttpFixture http(Once("SSH-2.0-OpenSSH_9.2\r\n"));
  const Outcome outcome = http.Ask();
  EXPECT_EQ(outcome.transport, Transport::kInterrupted);
  EXPECT_EQ(outcome.status, 0);
}

TEST(HttpAnswer, ARedirectIsNotFollowedSoTheKeyGoesNowhereElse) {
  HttpFixture other(Once(Reply(200, "ok:")));
  HttpFixture http(Once(Reply(307, "", "Location: " + other.server.url() + "/\r\n")));
  const Outcome outcome = http.Ask();
  EXPECT_EQ(outcome.status, 307);
  EXPECT_TRUE(outcome.error);
  EXPECT_FALSE(outcome.answer);
  EXPECT_EQ(other.server.connections(), 0);
}

TEST(HttpAnswer, ACompressedBodyIsDecompressed) {
  HttpFixture http(Once(
      Reply(200, support::Gzip("ok:" + std::string(100'000, 'a')), "Content-Encoding: gzip\r\n")));
  const Outcome outcome = http.Ask();
  ASSERT_TRUE(outcome.answer);
  EXPECT_EQ(outcome.answer->content, std::string(100'000, 'a'));
}

TEST(HttpAnswer, ABrokenCompressionIsUnreadable) {
  HttpFixture http(Once(Reply(200, "this is no gzip at all", "Content-Encoding: gzip\r\n")));
  const Outcome outcome = http.Ask();
  EXPECT_EQ(outcome.transport, Transport::kUnreadable);
  EXPECT_NE(outcome.error_message, "");
}

TEST(HttpAnswer, AnAnswerBeyondTheBoundIsUnreadable) {
  TransferOptions options = PlainOptions();
  options.max_body_bytes = 1'000;
  HttpFixture fits(Once(Reply(200, "ok:" + std::string(997, 'a'))), options);
  EXPECT_EQ(fits.Ask().transport, Transport::kOk);
  HttpFixture larger(Once(Reply(200, "ok:" + std::string(998, 'a'))), options);
  const Outcome outcome = larger.Ask();
  EXPECT_EQ(outcome.transport, Transport::kUnreadable);
  EXPECT_THAT(outcome.error_message, HasSubstr("1000 bytes"));
}

TEST(HttpAnswer, WhatDecompressesToTooMuchIsStopped) {
  TransferOptions options = PlainOptions();
  options.max_body_bytes = 1u << 20;
  HttpFixture http(Once(Reply(200, support::Gzip("ok:" + std::string(32u << 20, 'a')),
                              "Content-Encoding: gzip\r\n")),
                   options);
  EXPECT_EQ(http.Ask().transport, Transport::kUnreadable);
}

TEST(HttpAnswer, HeadersThatSaySomethingOfQuotasAreKeptInLowerCase) {
  HttpFixture http(Once(Reply(200, "ok:",
                              "X-RateLimit-Remaining-Requests: 12\r\n"
                              "Anthropic-RateLimit-Tokens-Remaining: 900\r\n"
                              "Retry-After-Ms: 20\r\n"
                              "X-Should-Retry: true\r\n"
                              "X-Request-Id: req_1\r\n"
                              "Set-Cookie: session=1\r\n")));
  const Outcome outcome = http.Ask();
  EXPECT_THAT(outcome.headers,
              testing::UnorderedElementsAre(
                  Pair("x-ratelimit-remaining-requests", "12"),
                  Pair("anthropic-ratelimit-tokens-remaining", "900"), Pair("retry-after-ms", "20"),
                  Pair("x-should-retry", "true"), Pair("x-request-id", "req_1")));
}

TEST(HttpAnswer, KeptHeadersAreBoundedInNumberAndSize) {
  std::string headers = "X-RateLimit-Long: " + std::string(4'000, '9') + "\r\n";
  for (int i = 0; i < 200; ++i) headers += "X-RateLimit-" + std::to_string(i) + ": 1\r\n";
  HttpFixture http(Once(Reply(200, "ok:", headers)));
  const Outcome outcome = http.Ask();
  EXPECT_EQ(outcome.transport, Transport::kOk);
  EXPECT_THAT(outcome.headers, SizeIs(64));
  EXPECT_THAT(outcome.headers.front().second, SizeIs(512));
}

TEST(HttpAnswer, EndlessHeadersEndTheAttempt) {
  HttpFixture http([](Connection& connection) {
    connection.Read();
    connection.Write("HTTP/1.1 200 OK\r\n");
    const std::string line = "X-Filler: " + std::string(8'000, 'x') + "\r\n";
    for (int i = 0; i < 1'000; ++i) connection.Write(line);
  });
  const Outcome outcome = http.Ask();
  EXPECT_NE(outcome.transport, Transport::kOk);
  EXPECT_FALSE(outcome.answer);
  EXPECT_NE(outcome.error_message, "");
}

TEST(HttpAnswer, AnInterimResponseIsNotTheAnswer) {
  HttpFixture http(
      Once("HTTP/1.1 103 Early Hints\r\nRetry-After: 99\r\n\r\n" + Reply(200, "ok:a")));
  const Outcome outcome = http.Ask();
  EXPECT_EQ(outcome.status, 200);
  EXPECT_THAT(outcome.headers, IsEmpty());
  ASSERT_TRUE(outcome.answer);
}

TEST(HttpAnswer, AKeyThatTheProviderQuotesIsRedacted) {
  const std::string key = "plain-secret-0123456789";
  HttpFixture http(Once(Reply(401, "{\"error\":\"bad key " + key + ", yes " + key + "\"}",
                              "X-Request-Id: " + key + "\r\n")));
  const Outcome outcome = http.Ask();
  ASSERT_TRUE(outcome.error);
  EXPECT_EQ(outcome.error->message, "{\"error\":\"bad key [redacted], yes [redacted]\"}");
  EXPECT_THAT(outcome.headers, Contains(Pair("x-request-id", "[redacted]")));
}

}  // namespace
}  // namespace requestrouter::upstream
