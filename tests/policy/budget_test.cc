#include "daemon/policy/budget.h"

#include <gtest/gtest.h>

namespace requestrouter::policy {
namespace {

using Verdict = Budgets::Verdict;

constexpr std::uint32_t kAda = 1000, kBob = 1001;
const Budget kHundredTokens = {100, std::nullopt};

TEST(Budgets, AdmitUntilWhatIsUnderWayWouldOverrunThem) {
  Budgets budgets;
  EXPECT_EQ(budgets.Hold(1, kAda, kHundredTokens, {60, 0}, 7), Verdict::kHeld);
  EXPECT_EQ(budgets.Hold(2, kAda, kHundredTokens, {41, 0}, 7), Verdict::kTokens);
  EXPECT_EQ(budgets.Hold(3, kAda, kHundredTokens, {40, 0}, 7), Verdict::kHeld);
}

TEST(Budgets, WhatItCostInTheEndCounts) {
  Budgets budgets;
  budgets.Hold(1, kAda, kHundredTokens, {60, 0}, 7);
  budgets.Spend(kAda, {10, 0}, 7);
  budgets.Release(1);
  EXPECT_EQ(budgets.Hold(2, kAda, kHundredTokens, {90, 0}, 7), Verdict::kHeld);
  budgets.Release(2);
  budgets.Spend(kAda, {95, 0}, 7);  // more than was estimated
  EXPECT_EQ(budgets.SpentBy(kAda, 7).tokens, 105);
  EXPECT_EQ(budgets.Hold(3, kAda, kHundredTokens, {0, 0}, 7), Verdict::kTokens);
}

TEST(Budgets, AreFullAgainTheNextDayButForWhatIsUnderWay) {
  Budgets budgets;
  budgets.Spend(kAda, {100, 0}, 7);
  budgets.Hold(1, kAda, {}, {30, 0}, 7);
  EXPECT_EQ(budgets.Hold(2, kAda, kHundredTokens, {71, 0}, 8), Verdict::kTokens);
  EXPECT_EQ(budgets.Hold(2, kAda, kHundredTokens, {70, 0}, 8), Verdict::kHeld);
}

TEST(Budgets, BelongToOneUid) {
  Budgets budgets;
  budgets.Spend(kAda, {100, 0}, 7);
  EXPECT_EQ(budgets.Hold(1, kBob, kHundredTokens, {100, 0}, 7), Verdict::kHeld);
}

TEST(Budgets, OfMoneyAreKeptToAsWell) {
  Budgets budgets;
  const Budget cent = {std::nullopt, 10'000'000};
  EXPECT_EQ(budgets.Hold(1, kAda, cent, {1'000'000, 9'000'000}, 7), Verdict::kHeld);
  EXPECT_EQ(budgets.Hold(2, kAda, cent, {0, 2'000'000}, 7), Verdict::kCost);
}

TEST(Budgets, ATicketThatWasNeverHeldIsIgnored) {
  Budgets budgets;
  budgets.Release(4);
  EXPECT_EQ(budgets.SpentBy(kAda, 7).tokens, 0);
}

TEST(BudgetsDeathTest, HoldATicketOnce) {
  Budgets budgets;
  budgets.Hold(1, kAda, {}, {}, 7);
  EXPECT_DEATH(budgets.Hold(1, kAda, {}, {}, 7), "held once");
}

}  // namespace
}  // namespace requestrouter::policy
