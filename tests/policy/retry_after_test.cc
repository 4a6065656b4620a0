#include "daemon/policy/retry_after.h"

#include <gtest/gtest.h>

namespace requestrouter::policy {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::int64_t kNow = 1'700'000'000;  // Tue, 14 Nov 2023 22:13:20 GMT

TEST(RetryAfter, IsSecondsOrADateInAnyOfTheThreeForms) {
  EXPECT_EQ(ParseRetryAfter("30", kNow), seconds(30));
  EXPECT_EQ(ParseRetryAfter("0", kNow), seconds(0));
  EXPECT_EQ(ParseRetryAfter("1.5", kNow), milliseconds(1'500));
  EXPECT_EQ(ParseRetryAfter("Tue, 14 Nov 2023 22:14:00 GMT", kNow), seconds(40));
  EXPECT_EQ(ParseRetryAfter("Tuesday, 14-Nov-23 22:14:00 GMT", kNow), seconds(40));
  EXPECT_EQ(ParseRetryAfter("Tue Nov 14 22:14:00 2023", kNow), seconds(40));
}

TEST(RetryAfter, IsNeverNegativeAndNeverLongerThanADay) {
  EXPECT_EQ(ParseRetryAfter("-7", kNow), seconds(0));
  EXPECT_EQ(ParseRetryAfter("Tue, 14 Nov 2023 22:13:19 GMT", kNow), seconds(0));
  EXPECT_EQ(ParseRetryAfter("86400", kNow), hours(24));
  EXPECT_EQ(ParseRetryAfter("86401", kNow), hours(24));
  EXPECT_EQ(ParseRetryAfter("99999999999999999999999", kNow), hours(24));
  EXPECT_EQ(ParseRetryAfter("Fri, 31 Dec 9999 23:59:59 GMT", kNow), hours(24));
}

TEST(RetryAfter, ThatIsGarbageIsNothing) {
  for (const char* value :
       {"", " ", "soon", "1s", "1e3", "nan", "inf", "1,5", "0x10", "30 30", "Tue, 14 Nov 2023",
        "Tue, 14 Nov 2023 22:14:00 PST", "Tue, 14 Nov 2023 22:14:00 GMT+1"}) {
    EXPECT_EQ(ParseRetryAfter(value, kNow), std::nullopt) << value;
  }
}

TEST(GoDuration, AddsItsParts) {
  EXPECT_EQ(ParseGoDuration("6m0s"), seconds(360));
  EXPECT_EQ(ParseGoDuration("1h2m3s"), seconds(3'723));
  EXPECT_EQ(ParseGoDuration("20ms"), milliseconds(20));
  EXPECT_EQ(ParseGoDuration("7.66s"), milliseconds(7'660));
  EXPECT_EQ(ParseGoDuration("1d"), hours(24));
  EXPECT_EQ(ParseGoDuration("9d"), hours(24));
}

TEST(GoDuration, ThatIsGarbageIsNothing) {
  for (const char* value : {"", "5", "s", "1x", "1s ", "-1s", ".s", "1.2.3s"}) {
    EXPECT_EQ(ParseGoDuration(value), std::nullopt) << value;
  }
}

TEST(DelayInWords, IsReadInTheFormsThatProvidersWrite) {
  EXPECT_EQ(DelayInWords("Please try again in 9m38.016s. Need more?"), milliseconds(578'016));
  EXPECT_EQ(DelayInWords("Please retry in 20.5s."), milliseconds(20'500));
  EXPECT_EQ(DelayInWords("Please retry after 26 seconds."), seconds(26));
  EXPECT_EQ(DelayInWords("try again in 2 minutes"), seconds(120));
  EXPECT_EQ(DelayInWords("Please try again in 20s, or later"), seconds(20));
  EXPECT_EQ(DelayInWords("retry in 2 hours"), hours(2));
  EXPECT_EQ(DelayInWords("try again in 500 milliseconds"), milliseconds(500));
  EXPECT_EQ(DelayInWords("try again in 5 lightyears"), std::nullopt);
  EXPECT_EQ(DelayInWords("try again in ..."), std::nullopt);
  EXPECT_EQ(DelayInWords("try again in a while"), std::nullopt);
  EXPECT_EQ(DelayInWords("try again in "), std::nullopt);
  EXPECT_EQ(DelayInWords("try again in 5"), std::nullopt);
}

TEST(Headers, TheMoreExactAndTheSpentLimitAreReadFirst) {
  const auto told = [](Headers headers) {
    const auto delay = ReadDelay(headers, kNow);
    return delay ? delay->source : std::string();
  };
  EXPECT_EQ(told({{"retry-after", "2"}, {"retry-after-ms", "1574"}}), "retry-after-ms header");
  EXPECT_EQ(told({{"retry-after", "2"}, {"retry-after-ms", "x"}}), "retry-after header");
  EXPECT_EQ(told({{"x-ratelimit-remaining-tokens", "0"}, {"x-ratelimit-reset-tokens", "2s"}}),
            "x-ratelimit-reset-tokens header");
  EXPECT_EQ(told({{"x-ratelimit-remaining-tokens", "1"}, {"x-ratelimit-reset-tokens", "2s"}}), "");
  EXPECT_EQ(told({{"retry-after", "soon"},
                  {"x-ratelimit-remaining-requests", "0"},
                  {"x-ratelimit-reset-requests", "2s"}}),
            "x-ratelimit-reset-requests header");
  EXPECT_EQ(told({{"anthropic-ratelimit-output-tokens-remaining", "0"},
                  {"anthropic-ratelimit-output-tokens-reset", "2023-11-14T22:13:40Z"}}),
            "anthropic-ratelimit-output-tokens-reset header");
}

TEST(Headers, OfASpentLimitWhoseResetIsMissingOrUnreadableTheNextOneIsRead) {
  const auto told = [](Headers headers) {
    const auto delay = ReadDelay(headers, kNow);
    return delay ? delay->source : std::string();
  };
  EXPECT_EQ(told({{"x-ratelimit-remaining-requests", "0"}}), "");
  EXPECT_EQ(told({{"x-ratelimit-remaining-requests", "0"},
                  {"x-ratelimit-reset-requests", "soon"},
                  {"x-ratelimit-remaining-tokens", "0"},
                  {"x-ratelimit-reset-tokens", "2s"}}),
            "x-ratelimit-reset-tokens header");
  EXPECT_EQ(told({{"anthropic-ratelimit-tokens-remaining", "0"}}), "");
  EXPECT_EQ(told({{"anthropic-ratelimit-requests-remaining", "0"},
                  {"anthropic-ratelimit-requests-reset", "soon"},
                  {"anthropic-ratelimit-tokens-remaining", "0"},
                  {"anthropic-ratelimit-tokens-reset", "2023-11-14T22:13:40Z"}}),
            "anthropic-ratelimit-tokens-reset header");
}

}  // namespace
}  // namespace requestrouter::policy
