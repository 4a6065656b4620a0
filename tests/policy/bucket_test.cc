#include "daemon/policy/bucket.h"

#include <gtest/gtest.h>

#include "tests/policy/support.h"

namespace requestrouter::policy {
namespace {

TEST(Bucket, HoldsABurstAndFillsEvenly) {
  Bucket bucket({.per_minute = 10, .burst = 3});
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(bucket.ReadyAt(kStart), kStart);
    bucket.Take(kStart);
  }
  EXPECT_EQ(bucket.ReadyAt(kStart), kStart + seconds(6));
  EXPECT_EQ(bucket.ReadyAt(kStart, 2), kStart + seconds(12));
  EXPECT_EQ(bucket.ReadyAt(kStart + seconds(6)), kStart + seconds(6));
}

TEST(Bucket, WhatIsGivenBackCanBeTakenAgain) {
  Bucket bucket({.per_minute = 10, .burst = 1});
  bucket.Take(kStart);
  EXPECT_EQ(bucket.ReadyAt(kStart), kStart + seconds(6));
  bucket.GiveBack();
  EXPECT_EQ(bucket.ReadyAt(kStart), kStart);
}

TEST(CallerLimits, EachUserIdOfAUidHasItsOwn) {
  CallerLimits limits;
  limits.Configure(BucketSpec{1, 1});
  EXPECT_EQ(limits.Book(1, "ann", kStart, kStart), kStart);
  EXPECT_EQ(limits.Book(1, "ann", kStart, kStart), std::nullopt);
  EXPECT_EQ(limits.Book(1, "ann", kStart, kStart + seconds(60)), kStart + seconds(60));
  EXPECT_EQ(limits.Book(1, "bob", kStart, kStart), kStart);
  EXPECT_EQ(limits.Book(2, "ann", kStart, kStart), kStart);
  EXPECT_EQ(limits.Book(1, "", kStart, kStart), kStart);
  EXPECT_EQ(limits.Book(1, "", kStart, kStart), kStart);
}

TEST(CallerLimits, MemoryIsBounded) {
  CallerLimits limits;
  limits.Configure(BucketSpec{1, 1});
  Instant now = kStart;
  for (std::size_t i = 0; i < 3 * CallerLimits::kMaxBuckets; ++i) {
    limits.Book(1, std::to_string(i), now, now);
    now += Duration(1);
    ASSERT_LE(limits.size(), CallerLimits::kMaxBuckets);
  }
}

TEST(CallerLimits, OfACallerThatHasBookedNothingNothingIsKnown) {
  CallerLimits limits;
  limits.Configure(BucketSpec{1, 1});
  limits.GiveBack(1, "ann");
  EXPECT_EQ(limits.size(), 0U);
  EXPECT_EQ(limits.ReadyAt(1, "ann", kStart), kStart);
  limits.Book(1, "ann", kStart, kStart);
  EXPECT_EQ(limits.ReadyAt(1, "ann", kStart), kStart + seconds(60));
}

TEST(CallerLimits, ThoseWhoseBucketsAreFullAgainAreForgottenFirst) {
  CallerLimits limits;
  limits.Configure(BucketSpec{1, 1});
  for (std::size_t i = 0; i + 1 < CallerLimits::kMaxBuckets; ++i) {
    limits.Book(1, std::to_string(i), kStart, kStart);
  }
  const Instant now = kStart + seconds(60);
  limits.Book(2, "ann", now, now);
  limits.Book(2, "bob", now, now);
  EXPECT_EQ(limits.size(), 2U);
  EXPECT_EQ(limits.Book(2, "ann", now, now), std::nullopt);
}

}  // namespace
}  // namespace requestrouter::policy
