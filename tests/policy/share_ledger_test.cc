#include "daemon/policy/share_ledger.h"

#include <gtest/gtest.h>

namespace requestrouter::policy {
namespace {

TEST(ShareLedger, WhoHasHadLessIsBehindAndWhoComesLaterGetsNoCredit) {
  ShareLedger ledger;
  ledger.Charge(1, 3);
  ledger.Charge(2, 1);
  EXPECT_EQ(ledger.TimeOf(1), 3);
  EXPECT_EQ(ledger.TimeOf(2), 1);
  ledger.Charge(2, 1);
  EXPECT_EQ(ledger.TimeOf(3), 1);
}

TEST(ShareLedger, BeyondItsBoundThoseWithoutALeadAreForgotten) {
  ShareLedger ledger;
  for (std::uint32_t uid = 0; uid < ShareLedger::kMaxUids; ++uid) ledger.Charge(uid, 1);
  ledger.Charge(0, 5);
  ledger.Charge(ShareLedger::kMaxUids, 1);
  EXPECT_EQ(ledger.TimeOf(0), 6);
  EXPECT_EQ(ledger.TimeOf(ShareLedger::kMaxUids), 2);
  EXPECT_EQ(ledger.TimeOf(1), 1);
}

TEST(ShareLedger, WhereEveryoneHasALeadAllBeginAnew) {
  ShareLedger ledger;
  for (std::uint32_t uid = 0; uid <= ShareLedger::kMaxUids; ++uid) ledger.Charge(uid, 1);
  EXPECT_EQ(ledger.TimeOf(0), ledger.TimeOf(ShareLedger::kMaxUids));
}

}  // namespace
}  // namespace requestrouter::policy
