#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/support/sim/conversation.h"
#include "tests/support/sim/dialect.h"
#include "tests/support/sim/faults.h"
#include "tests/support/sim/key.h"

namespace requestrouter::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
const Instant kT0{std::chrono::hours(1)};

TEST(SimWindow, TheLastThatFitsFitsAndTheNextDoesNotUntilTheMinuteIsOver) {
  Window window(2);
  ASSERT_TRUE(window.Fits(2, kT0));
  window.Take(2, kT0);
  EXPECT_FALSE(window.Fits(1, kT0));
  EXPECT_FALSE(window.Fits(1, kT0 + seconds(60) - milliseconds(1)));
  EXPECT_TRUE(window.Fits(1, kT0 + seconds(60)));
}

TEST(SimKey, ARequestOverAnyLimitTakesNothingOfTheOthers) {
  Key key = ParseKey("secret:rpm=2,tpm=10");
  EXPECT_EQ(TakeQuota(key, 11, kT0), "tpm");
  EXPECT_EQ(key.rpm->used(kT0), 0);
  EXPECT_EQ(TakeQuota(key, 10, kT0), "");
  EXPECT_EQ(TakeQuota(key, 1, kT0), "tpm");
}

TEST(SimKey, IsReadFromItsCommandLineForm) {
  const Key key = ParseKey("secret:rpm=2,rpd=9");
  EXPECT_EQ(key.secret, "secret");
  EXPECT_EQ(key.rpm->limit(), 2);
  EXPECT_EQ(key.rpd->limit(), 9);
  EXPECT_FALSE(key.tpm);
  EXPECT_THROW(ParseKey("secret:qps=2"), std::invalid_argument);
}

TEST(SimAnswer, ShowsWhetherTheHistoryArrived) {
  Asked asked;
  asked.turns = {{"user", "What is my name?"}};
  EXPECT_EQ(AnswerTo(asked), "You have not told me your name.");
  asked.turns = {{"user", "My name is Ada."}, {"assistant", "Hello"}, {"user", "What is my name?"}};
  EXPECT_EQ(AnswerTo(asked), "Your name is Ada.");
}

TEST(SimTokens, AreOneForFourBytesRoundedUp) {
  EXPECT_EQ(CountTokens("1234"), 1);
  EXPECT_EQ(CountTokens("12345"), 2);
  EXPECT_EQ(CountTokens(""), 1);
}

TEST(SimDialect, IsChosenByThePath) {
  EXPECT_EQ(DialectOfPath("/v1beta/models/x:generateContent"), &GeminiDialect());
  EXPECT_EQ(DialectOfPath("/v1/chat/completions"), &OpenAiDialect());
  EXPECT_EQ(DialectOfPath("/v1/messages"), &AnthropicDialect());
  EXPECT_EQ(DialectOfPath("/"), nullptr);
}

TEST(SimDialect, AnExhaustedDayOfGeminiSaysSoInItsQuotaIdAndNotInItsDelay) {
  const auto json = nlohmann::json::parse(GeminiDialect().RateLimited("rpd", "m", seconds(9)).body);
  const auto& details = json["error"]["details"];
  EXPECT_EQ(details[0]["violations"][0]["quotaId"],
            "GenerateRequestsPerDayPerProjectPerModel-FreeTier");
  EXPECT_EQ(details[1]["retryDelay"], "0s");
}

TEST(SimDialect, EveryDialectRefusesABodyThatIsNotItsOwn) {
  for (const Dialect* dialect : {&GeminiDialect(), &OpenAiDialect(), &AnthropicDialect()}) {
    const auto asked = dialect->Read("/v1beta/models/m:generateContent", "{}");
    ASSERT_FALSE(asked);
    EXPECT_EQ(asked.error().status, 400);
  }
}

TEST(SimFaults, AreTakenAsOftenAsAskedAndOnlyByTheKeyNamed) {
  Faults faults;
  faults.Add({"hang", 500, 2, "mine"});
  EXPECT_FALSE(faults.TakeFor("other"));
  EXPECT_TRUE(faults.TakeFor("mine"));
  EXPECT_TRUE(faults.TakeFor("mine"));
  EXPECT_FALSE(faults.TakeFor("mine"));
}

}  // namespace
}  // namespace requestrouter::sim
