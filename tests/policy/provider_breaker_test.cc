#include "daemon/policy/provider_breaker.h"

#include <gtest/gtest.h>

#include "tests/policy/support.h"

namespace requestrouter::policy {
namespace {

Fault Down(int status = 503) { return FaultOf(FaultKind::kProvider, {}, status); }

class ProviderBreakerTest : public ::testing::Test {
 protected:
  bool Fail(const char* key, int status = 503, bool retry_due = false) {
    return breaker_.Failed(breaker_.Admit(now_, retry_due), Down(status), key, now_);
  }
  ProviderBreaker breaker_{milliseconds(500), seconds(30)};
  Instant now_ = kStart;
};

TEST_F(ProviderBreakerTest, OneKeyAloneIsNoProofAgainstTheProvider) {
  for (int i = 0; i < 10; ++i) EXPECT_FALSE(Fail("a"));
  EXPECT_TRUE(breaker_.Usable(now_, false));
}

TEST_F(ProviderBreakerTest, TheSameStatusOnASecondKeyIs) {
  EXPECT_FALSE(Fail("a"));
  EXPECT_TRUE(Fail("b"));
  EXPECT_EQ(breaker_.UsableAt(now_, false), now_ + milliseconds(500));
}

TEST_F(ProviderBreakerTest, AnotherStatusOrASuccessInBetweenOrALongTimeIsNot) {
  EXPECT_FALSE(Fail("a", 500));
  EXPECT_FALSE(Fail("b", 503));
  breaker_.Succeeded(breaker_.Admit(now_, false), now_);
  EXPECT_FALSE(Fail("a", 503));
  now_ += ProviderBreaker::kMemory + Duration(1);
  EXPECT_FALSE(Fail("b", 503));
}

TEST_F(ProviderBreakerTest, FailingTrialsDoubleTheTime) {
  Fail("a");
  Fail("b");
  for (const int expected : {1000, 2000, 4000}) {
    now_ = breaker_.UsableAt(now_, false);
    EXPECT_TRUE(Fail("a"));
    EXPECT_EQ(breaker_.UsableAt(now_, false), now_ + milliseconds(expected));
  }
  now_ = breaker_.UsableAt(now_, false);
  breaker_.Succeeded(breaker_.Admit(now_, false), now_);
  EXPECT_FALSE(breaker_.open(now_));
}

TEST_F(ProviderBreakerTest, ARetryThatIsDueNeedNotWaitForIt) {
  Fail("a");
  Fail("b");
  EXPECT_FALSE(breaker_.Usable(now_, false));
  EXPECT_TRUE(breaker_.Usable(now_, true));
  const auto trial = breaker_.Admit(now_, true);
  EXPECT_TRUE(trial.trial);
  EXPECT_FALSE(breaker_.Usable(now_, true));  // one at a time
  breaker_.Succeeded(trial, now_);
  EXPECT_TRUE(breaker_.Usable(now_, false));
}

}  // namespace
}  // namespace requestrouter::policy
