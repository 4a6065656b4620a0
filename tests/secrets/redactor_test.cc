#include "daemon/secrets/redactor.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <ctime>
#include <sstream>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/ostream_sink.h>

#include "daemon/secrets/redacting_sink.h"

namespace requestrouter::secrets {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

struct Row {
  std::string text;
  std::string redacted;
};

TEST(Redactor, LeavesOrdinaryTextAlone) {
  Redactor redactor;
  redactor.SetSecrets({"secret-value"});
  for (const char* text :
       {"", "request 17 took 3 ms", "key gemini-flash-01 cools until 12:00", "sk-learn",
        "task-list-of-many-words-and-more", "risk-0123456789abcdef", "Bearer token",
        "authorization", "authorization: ok", "Missing bearer or basic auth", "secret-valu",
        "?key=", "AIza", "xai-models", "gsk_x", "secret value"}) {
    EXPECT_EQ(redactor.Redact(text), text);
  }
}

TEST(Redactor, RemovesKnownSecretsInEveryForm) {
  Redactor redactor;
  redactor.SetSecrets({"p/q+r=\"s\\t"});
  const Row rows[] = {
      {"p/q+r=\"s\\t", "[redacted]"},
      {"a p/q+r=\"s\\t b", "a [redacted] b"},
      {"x=p%2Fq%2Br%3D%22s%5Ct&", "x=[redacted]&"},
      {"x=p%2fq%2br%3d%22s%5ct&", "x=[redacted]&"},
      {"{\"k\":\"p/q+r=\\\"s\\\\t\"}", "{\"k\":\"[redacted]\"}"},
      {"{\"k\":\"p\\/q+r=\\\"s\\\\t\"}", "{\"k\":\"[redacted]\"}"},
      {"p/q+r=\"s\\tp/q+r=\"s\\t", "[redacted]"},
      {"P/q+r=\"s\\t", "P/q+r=\"s\\t"},
  };
  for (const Row& row : rows) EXPECT_EQ(redactor.Redact(row.text), row.redacted) << row.text;
}

TEST(Redactor, RemovesOverlappingSecretsWhole) {
  Redactor redactor;
  redactor.SetSecrets({"abcd", "cdef", "abcdefgh"});
  EXPECT_EQ(redactor.Redact("-abcdef-"), "-[redacted]-");
  EXPECT_EQ(redactor.Redact("-abcdefgh-"), "-[redacted]-");
}

TEST(Redactor, FindsASecretThatOverlapsItself) {
  Redactor redactor;
  redactor.SetSecrets({"abcabca"});
  EXPECT_EQ(redactor.Redact("abcabcabca!"), "[redacted]!");
}

TEST(Redactor, StillKnowsSecretsThatWereReplaced) {
  Redactor redactor;
  redactor.SetSecrets({"first-one", "another-one"});
  redactor.SetSecrets({"second-one"});
  redactor.SetSecrets({});
  EXPECT_EQ(redactor.Redact("first-one another-one second-one"),
            "[redacted] [redacted] [redacted]");
}

TEST(Redactor, ForgetsTheOldestOfManyThatWereReplaced) {
  Redactor redactor;
  redactor.SetSecrets({"the-first"});
  for (int i = 0; i < 64; ++i) redactor.SetSecrets({"one-of-many-" + std::to_string(i)});
  EXPECT_EQ(redactor.Redact("the-first"), "[redacted]");
  redactor.SetSecrets({"the-last"});
  EXPECT_EQ(redactor.Redact("the-first one-of-many-0"), "the-first [redacted]");
}

TEST(Redactor, ASecretThatComesBackIsNoFormerOne) {
  Redactor redactor;
  for (int i = 0; i < 100; ++i) {
    redactor.SetSecrets({"the-one", "constant"});
    redactor.SetSecrets({"the-other"});
  }
  EXPECT_EQ(redactor.Redact("the-one the-other constant"), "[redacted] [redacted] [redacted]");
}

TEST(Redactor, IgnoresSecretsShorterThanFourBytes) {
  Redactor redactor;
  redactor.SetSecrets({"", "the", "four"});
  EXPECT_EQ(redactor.Redact("the four"), "the [redacted]");
}

TEST(Redactor, RemovesWhatLooksLikeAKey) {
  const Redactor redactor;
  const Row rows[] = {
      {"sk-0123456789abcdef", "[redacted]"},
      {"key=sk-proj-0123456789_abc-def.", "key=[redacted]"},
      {"(sk-ant-api03-0123456789)", "([redacted])"},
      {"AIzaSyA0123456789abcdefghijklmnopqrstu", "[redacted]"},
      {"xAIzaSyA0123456789abcdefghijklmnopqrstu", "x[redacted]"},
      {"gsk_0123456789abcdef", "[redacted]"},
      {"xai-0123456789abcdef", "[redacted]"},
      {"token hvs.0123456789abcdef", "token [redacted]"},
      {"key AQ.Ab8RN6J0123456789abcd", "key [redacted]"},
      {"FAQ.Ab8RN6J0123456789abcdef", "FAQ.Ab8RN6J0123456789abcdef"},
      {"Bearer abcdefgh", "Bearer [redacted]"},
      {"bearer   abcdefgh=", "bearer   [redacted]"},
      {"Authorization: Bearer abcdefgh", "Authorization: Bearer [redacted]"},
      {"authorization: abcdefgh", "authorization: [redacted]"},
      {"{\"Authorization\":\"Bearer abcdefgh\"}", "{\"Authorization\":\"Bearer [redacted]\"}"},
      {"{\\\"x-api-key\\\": \\\"abcdefgh\\\"}", "{\\\"x-api-key\\\": \\\"[redacted]\\\"}"},
      {"> X-Goog-Api-Key: abcdefgh\r\n", "> X-Goog-Api-Key: [redacted]\r\n"},
      {"x-api-key: abcdefgh", "x-api-key: [redacted]"},
      {"X-Vault-Token: abcdefgh", "X-Vault-Token: [redacted]"},
      {"api_key='abcdefgh'", "api_key='[redacted]'"},
      {"GET /v1?key=abcdefgh&alt=sse", "GET /v1?key=[redacted]&alt=sse"},
      {"GET /v1?alt=sse&key=abcdefgh HTTP", "GET /v1?alt=sse&key=[redacted] HTTP"},
      {"sk-0123456789abcdef and sk-fedcba9876543210", "[redacted] and [redacted]"},
  };
  for (const Row& row : rows) EXPECT_EQ(redactor.Redact(row.text), row.redacted) << row.text;
}

TEST(Redactor, KnowsBothSidesOfTheLengthOfAKey) {
  const Redactor redactor;
  EXPECT_EQ(redactor.Redact("sk-0123456789a"), "sk-0123456789a");
  EXPECT_EQ(redactor.Redact("sk-0123456789ab"), "[redacted]");
  EXPECT_EQ(redactor.Redact("Bearer abcdefg"), "Bearer abcdefg");
  EXPECT_EQ(redactor.Redact("Bearer abcdefgh"), "Bearer [redacted]");
}

// The thread's own time, whatever else the machine does.
std::chrono::nanoseconds CpuTime() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

// The time for a text is compared with that for one of an eighth of its length: linear is 8 times,
// quadratic 64. Texts are long enough that the shorter takes well over a clock tick.
TEST(Redactor, TakesTimeInProportionToTheTextWhateverItHolds) {
  Redactor redactor;
  const std::string own = std::string(1000, 'a') + "b";
  redactor.SetSecrets({own});
  const auto cost = [&](const std::string& piece, std::size_t pieces) {
    std::string text;
    for (std::size_t i = 0; i < pieces; ++i) text += piece;
    auto least = std::chrono::nanoseconds::max();
    for (int i = 0; i < 4; ++i) {
      const auto begin = CpuTime();
      redactor.Redact(text);
      least = std::min(least, CpuTime() - begin);
    }
    return static_cast<double>(least.count());
  };
  for (const char* piece : {"a", "s", "sk-", "sk-0", "Bearer ", "Bearer", "bearer:", "x-api-key",
                            "authorization: bearer ", "?key=", " ", "\\", "AIza", "AIzaAIza."}) {
    EXPECT_LT(cost(piece, 40'000), 32 * cost(piece, 5'000)) << piece;
  }
}

TEST(Redactor, MayBeUsedWhileItsSecretsAreReplaced) {
  Redactor redactor;
  redactor.SetSecrets({"always-there"});
  std::atomic<bool> stop = false;
  std::atomic<int> leaks = 0, rounds = 0;
  std::vector<std::thread> readers;
  for (int i = 0; i < 3; ++i) {
    readers.emplace_back([&] {
      while (!stop) {
        if (redactor.Redact("x always-there y") != "x [redacted] y") ++leaks;
        ++rounds;
      }
    });
  }
  while (rounds < 300) redactor.SetSecrets({"always-there", "other-secret"});
  stop = true;
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(leaks, 0);
}

TEST(RedactingSink, WritesNoSecret) {
  Redactor redactor;
  redactor.SetSecrets({"planted-secret"});
  std::ostringstream written;
  auto behind = std::make_shared<spdlog::sinks::ostream_sink_mt>(written);
  spdlog::logger logger("test", std::make_shared<RedactingSink>(behind, redactor));
  logger.set_pattern("[%l] %v");
  logger.warn("key {} failed: {}", 7, "planted-secret");
  logger.flush();
  EXPECT_EQ(written.str(), "[warning] key 7 failed: [redacted]\n");
}

TEST(RedactingSink, LeavesTheLevelToTheSinkBehind) {
  Redactor redactor;
  std::ostringstream written;
  auto behind = std::make_shared<spdlog::sinks::ostream_sink_mt>(written);
  behind->set_level(spdlog::level::err);
  spdlog::logger logger("test", std::make_shared<RedactingSink>(behind, redactor));
  logger.warn("unseen");
  EXPECT_EQ(written.str(), "");
}

TEST(ProcessRedactors, AreOne) { EXPECT_EQ(&ProcessRedactor(), &ProcessRedactor()); }

}  // namespace
}  // namespace requestrouter::secrets
