#include "daemon/policy/token_estimator.h"

#include <gtest/gtest.h>

namespace requestrouter::policy {
namespace {

TEST(TokenEstimator, LeansHighBeforeItHasLearned) {
  TokenEstimator estimator;
  EXPECT_EQ(estimator.Estimate("flash", 0), 0);
  EXPECT_EQ(estimator.Estimate("flash", -5), 0);
  EXPECT_EQ(estimator.Estimate("flash", 1), 1);
  EXPECT_GE(estimator.Estimate("flash", 4000), 1000);
  EXPECT_LE(estimator.Estimate("flash", 4000), 1200);
}

TEST(TokenEstimator, LearnsPerModel) {
  TokenEstimator estimator;
  for (int i = 0; i < 50; ++i) estimator.Learn("flash", 5000, 2500);
  EXPECT_NEAR(static_cast<double>(estimator.Estimate("flash", 5000)), 2500, 25);
  EXPECT_LT(estimator.Estimate("pro", 5000), 1500);
}

TEST(TokenEstimator, ForgetsWhatIsNoLongerSo) {
  TokenEstimator estimator;
  for (int i = 0; i < 50; ++i) estimator.Learn("flash", 5000, 2500);
  for (int i = 0; i < 100; ++i) estimator.Learn("flash", 4000, 1000);
  EXPECT_NEAR(static_cast<double>(estimator.Estimate("flash", 4000)), 1000, 20);
}

TEST(TokenEstimator, NonsenseTeachesNothing) {
  TokenEstimator estimator;
  const auto before = estimator.Estimate("flash", 1000);
  estimator.Learn("flash", 0, 10);
  estimator.Learn("flash", 10, 0);
  estimator.Learn("flash", -1, -1);
  EXPECT_EQ(estimator.Estimate("flash", 1000), before);
  for (int i = 0; i < 100; ++i) estimator.Learn("flash", 1'000'000, 1);
  EXPECT_EQ(estimator.Estimate("flash", 800), 100);  // at most eight bytes a token
}

TEST(TokenEstimator, TheNumberOfModelsIsBounded) {
  TokenEstimator estimator;
  for (std::size_t i = 0; i < TokenEstimator::kMaxModels; ++i) {
    estimator.Learn(std::to_string(i), 1000, 1000);
  }
  estimator.Learn("one more", 1000, 1000);
  EXPECT_EQ(estimator.Estimate("one more", 1000), estimator.Estimate("unknown", 1000));
}

}  // namespace
}  // namespace requestrouter::policy
