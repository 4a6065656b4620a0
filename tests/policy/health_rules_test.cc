#include "daemon/policy/health_rules.h"

#include <gtest/gtest.h>

namespace requestrouter::policy {
namespace {

using Kind = Health::Event::Kind;
using std::chrono::hours;
using std::chrono::seconds;

const Instant kDayEnd = Instant(hours(1000));

Report Of(FaultKind kind, std::optional<Duration> retry_after = {}) {
  Report report;
  report.fault = {kind, "reason", "source", "message", retry_after, 0};
  return report;
}

TEST(HealthRules, EveryFaultSaysOneThingOfQuotaProviderAndKey) {
  struct Row {
    FaultKind fault;
    Kind quota, provider, key;
  };
  const Row rows[] = {
      {FaultKind::kNone, Kind::kSucceeded, Kind::kSucceeded, Kind::kSucceeded},
      {FaultKind::kRequest, Kind::kNoVerdict, Kind::kNoVerdict, Kind::kNoVerdict},
      {FaultKind::kContent, Kind::kNoVerdict, Kind::kNoVerdict, Kind::kNoVerdict},
      {FaultKind::kModel, Kind::kNoVerdict, Kind::kNoVerdict, Kind::kNoVerdict},
      {FaultKind::kKeyInvalid, Kind::kNoVerdict, Kind::kNoVerdict, Kind::kDisable},
      {FaultKind::kBilling, Kind::kNoVerdict, Kind::kNoVerdict, Kind::kDisable},
      {FaultKind::kMinuteQuota, Kind::kCool, Kind::kSucceeded, Kind::kSucceeded},
      {FaultKind::kDayQuota, Kind::kCoolUntil, Kind::kSucceeded, Kind::kSucceeded},
      {FaultKind::kProvider, Kind::kNoVerdict, Kind::kFailed, Kind::kFailed},
      {FaultKind::kNetwork, Kind::kNoVerdict, Kind::kFailed, Kind::kFailed},
  };
  static_assert(std::size(rows) == kFaultKinds);
  for (const Row& row : rows) {
    SCOPED_TRACE(Name(row.fault));
    const Report report = Of(row.fault);
    EXPECT_EQ(QuotaEvent(report, kDayEnd).kind, row.quota);
    EXPECT_EQ(ProviderVerdict(report), row.provider);
    EXPECT_EQ(KeyEvent(report, false).kind, row.key);
  }
}

TEST(HealthRules, AnInconclusiveEndSaysNothing) {
  for (std::size_t i = 0; i < kFaultKinds; ++i) {
    Report report = Of(static_cast<FaultKind>(i));
    report.conclusive = false;
    EXPECT_EQ(QuotaEvent(report, kDayEnd).kind, Kind::kNoVerdict);
    EXPECT_EQ(ProviderVerdict(report), Kind::kNoVerdict);
    EXPECT_EQ(KeyEvent(report, false).kind, Kind::kNoVerdict);
  }
}

TEST(HealthRules, AKeyIsNotBlamedForItsProvider) {
  EXPECT_EQ(KeyEvent(Of(FaultKind::kProvider), true).kind, Kind::kNoVerdict);
  EXPECT_EQ(KeyEvent(Of(FaultKind::kNetwork), true).kind, Kind::kNoVerdict);
}

TEST(HealthRules, AMinuteQuotaCoolsForAsLongAsTheProviderSays) {
  EXPECT_EQ(QuotaEvent(Of(FaultKind::kMinuteQuota, seconds(7)), kNever).base, seconds(7));
  EXPECT_EQ(QuotaEvent(Of(FaultKind::kMinuteQuota), kNever).base, kMinuteCooldown);
}

TEST(HealthRules, ADayQuotaCoolsUntilItsDayEndsWhereThatIsKnown) {
  EXPECT_EQ(QuotaEvent(Of(FaultKind::kDayQuota), kDayEnd).until, kDayEnd);
  const Health::Event unknown = QuotaEvent(Of(FaultKind::kDayQuota), kNever);
  EXPECT_EQ(unknown.kind, Kind::kCool);
  EXPECT_EQ(unknown.base, kDayCooldown);
}

}  // namespace
}  // namespace requestrouter::policy
