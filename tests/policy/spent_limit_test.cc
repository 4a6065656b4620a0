#include "daemon/policy/spent_limit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "daemon/policy/quota.h"

namespace requestrouter::policy {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

Evidence Refused(std::string message, std::vector<std::string> quota_ids = {}) {
  Evidence evidence;
  evidence.status = 429;
  evidence.message = std::move(message);
  evidence.quota_ids = std::move(quota_ids);
  return evidence;
}

TEST(SpentLimit, IsTheOneThatGeminisQuotaIdNames) {
  EXPECT_THAT(SpentLimits(Refused("", {"GenerateRequestsPerMinutePerProjectPerModel-FreeTier"})),
              ElementsAre(LimitKind::kRpm));
  EXPECT_THAT(SpentLimits(Refused("", {"GenerateContentInputTokensPerModelPerMinute-FreeTier"})),
              ElementsAre(LimitKind::kTpm));
}

TEST(SpentLimit, IsEachThatGeminisQuotaIdsName) {
  EXPECT_THAT(SpentLimits(Refused("", {"GenerateContentInputTokensPerModelPerMinute-FreeTier",
                                       "GenerateRequestsPerMinutePerProjectPerModel-FreeTier",
                                       "GenerateRequestsPerDayPerProjectPerModel-FreeTier"})),
              ElementsAre(LimitKind::kTpm, LimitKind::kRpm));
}

TEST(SpentLimit, IsTheOneThatTheMessageNames) {
  EXPECT_THAT(SpentLimits(Refused("Rate limit reached for gpt-4o in organization org-1 on requests"
                                  " per min (RPM): Limit 3, Used 3, Requested 1.")),
              ElementsAre(LimitKind::kRpm));
  EXPECT_THAT(SpentLimits(Refused("Rate limit reached for gpt-4o in organization org-1 on tokens"
                                  " per min (TPM): Limit 30000, Used 29999, Requested 20.")),
              ElementsAre(LimitKind::kTpm));
  EXPECT_THAT(SpentLimits(Refused("This request would exceed your organization's rate limit of"
                                  " 40,000 input tokens per minute")),
              ElementsAre(LimitKind::kItpm));
  EXPECT_THAT(SpentLimits(Refused("This request would exceed your organization's rate limit of"
                                  " 8,000 output tokens per minute")),
              ElementsAre(LimitKind::kOtpm));
}

TEST(SpentLimit, IsNoneWhereTheRefusalNamesNoneOrADay) {
  EXPECT_THAT(SpentLimits(Refused("Too many requests")), IsEmpty());
  EXPECT_THAT(SpentLimits(Refused("", {"GenerateRequestsPerDayPerProjectPerModel"})), IsEmpty());
}

TEST(SpentLimit, IsNoneOfAnAnswerThatIsNo429) {
  Evidence evidence = Refused("at most 5 requests per minute");
  evidence.status = 400;
  EXPECT_THAT(SpentLimits(evidence), IsEmpty());
}

// ---- what a quota learns of it

class LearnedLimit : public ::testing::Test {
 protected:
  LearnedLimit() : quota_(Limits(10)) {}

  static LimitSet Limits(std::int64_t rpm) {
    LimitSet limits;
    limits.rpm = Limit{rpm, seconds(60)};
    limits.tpm = Limit{1'000, seconds(60)};
    limits.guard = {};
    return limits;
  }
  Reservation Attempt(Instant at, std::int64_t tokens = 0) {
    const Reservation reservation = quota_.Reserve({tokens}, at);
    quota_.Settle(reservation, std::nullopt, at, at);
    return reservation;
  }
  int FitsMore(Instant at) {
    int count = 0;
    for (; quota_.Fits({}, at); ++count) Attempt(at);
    return count;
  }

  const Instant start_ = Instant() + std::chrono::hours(1);
  Quota quota_;
};

TEST_F(LearnedLimit, IsWhatWasAcceptedBeforeTheRefusal) {
  for (int i = 0; i < 6; ++i) Attempt(start_);
  quota_.Learn(LimitKind::kRpm, Attempt(start_), start_);
  EXPECT_FALSE(quota_.Fits({}, start_ + seconds(59)));
  EXPECT_EQ(FitsMore(start_ + seconds(60)), 7);  // it has risen by one
}

TEST_F(LearnedLimit, DoesNotCountWhatIsStillInFlight) {
  for (int i = 0; i < 6; ++i) Attempt(start_);
  const Reservation in_flight = quota_.Reserve({}, start_);
  quota_.Learn(LimitKind::kRpm, Attempt(start_), start_);
  quota_.Refund(in_flight, start_);
  EXPECT_EQ(quota_.Usage(start_).rpm->limit, 6);
}

TEST_F(LearnedLimit, IsAtLeastHalfOfWhatItWasHoweverManyRefusalsTheWindowBrings) {
  for (int i = 0; i < 3; ++i) quota_.Learn(LimitKind::kRpm, Attempt(start_), start_);
  EXPECT_EQ(quota_.Usage(start_).rpm->limit, 5);
  const Instant later = start_ + seconds(60);
  quota_.Learn(LimitKind::kRpm, Attempt(later), later);  // it had risen to 6
  EXPECT_EQ(quota_.Usage(later).rpm->limit, 3);
}

TEST_F(LearnedLimit, IsNoneOfALimitThatIsNotSet) {
  quota_.Learn(LimitKind::kOtpm, Attempt(start_), start_);
  EXPECT_EQ(quota_.Usage(start_).otpm, std::nullopt);
  EXPECT_EQ(quota_.Usage(start_).rpm->limit, 10);
}

TEST_F(LearnedLimit, IsNotLearnedWhereAsMuchWasAcceptedAsIsAllowed) {
  const Reservation refused = Attempt(start_);
  quota_.RestoreAttempts({9}, start_);
  quota_.Learn(LimitKind::kRpm, refused, start_);
  EXPECT_EQ(quota_.Usage(start_).rpm->limit, 9);
  quota_.Clear();
  const Reservation again = Attempt(start_);
  quota_.RestoreAttempts({10}, start_);
  quota_.Learn(LimitKind::kRpm, again, start_);
  EXPECT_EQ(quota_.Usage(start_).rpm->limit, 10);
}

TEST_F(LearnedLimit, RisesToTheConfiguredOneAndNotBeyond) {
  quota_.Learn(LimitKind::kRpm, Attempt(start_), start_);
  Instant at = start_;
  for (int window = 0; window < 20; ++window) {
    at += seconds(60);
    Attempt(at);
    EXPECT_EQ(quota_.Usage(at).rpm->limit, std::min(6 + window, 10));
  }
}

TEST_F(LearnedLimit, IsNeverAboveTheConfiguredOne) {
  EXPECT_EQ(FitsMore(start_), 10);
  quota_.Learn(LimitKind::kRpm, Attempt(start_ + seconds(60)), start_ + seconds(60));
  EXPECT_LE(quota_.Usage(start_ + seconds(60)).rpm->limit, 10);
}

TEST_F(LearnedLimit, LetsADemandAboveItGoAlone) {
  Attempt(start_, 300);
  quota_.Learn(LimitKind::kTpm, Attempt(start_, 300), start_);
  EXPECT_EQ(quota_.Usage(start_).tpm->limit, 500);
  EXPECT_EQ(quota_.NeverFits({800}), std::nullopt);
  EXPECT_EQ(quota_.ReadyAt({800}, start_ + seconds(1)), start_ + seconds(60));
  EXPECT_EQ(quota_.NeverFits({1'001}), LimitKind::kTpm);
  EXPECT_EQ(quota_.ReadyAt({1'001}, start_), kNever);
}

TEST_F(LearnedLimit, StaysWhenTheConfigurationIsReadAgainAndGoesWhenItChanges) {
  quota_.Learn(LimitKind::kRpm, Attempt(start_), start_);
  quota_.SetLimits(Limits(10), start_);
  EXPECT_EQ(quota_.Usage(start_).rpm->limit, 5);
  quota_.SetLimits(Limits(8), start_);
  EXPECT_EQ(quota_.Usage(start_).rpm->limit, 8);
}

TEST_F(LearnedLimit, IsForgottenWithTheCounts) {
  quota_.Learn(LimitKind::kRpm, Attempt(start_), start_);
  quota_.Clear();
  EXPECT_EQ(quota_.Usage(start_).rpm->limit, 10);
}

}  // namespace
}  // namespace requestrouter::policy
