#include "tests/bench/router/histogram.h"

#include <gmock/gmock.h>

#include <cstdint>
#include <utility>
#include <vector>

namespace requestrouter::bench {
namespace {

using testing::ElementsAre;
using testing::Pair;

std::vector<std::pair<std::uint64_t, std::int64_t>> Buckets(const Histogram& histogram) {
  std::vector<std::pair<std::uint64_t, std::int64_t>> buckets;
  histogram.ForEach([&](std::uint64_t ns, std::int64_t count) { buckets.emplace_back(ns, count); });
  return buckets;
}

TEST(Histogram, KeepsSmallDurationsAsTheyAre) {
  Histogram histogram;
  for (const std::int64_t ns : {0, 1, 127, 127}) histogram.Add(ns);
  EXPECT_THAT(Buckets(histogram), ElementsAre(Pair(0, 1), Pair(1, 1), Pair(127, 2)));
  EXPECT_EQ(histogram.total(), 4);
}

TEST(Histogram, CountsADurationBelowItByLessThanASixtyFourth) {
  for (std::uint64_t ns = 1; ns < 10'000'000'000'000'000'000U; ns += ns / 100 + 1) {
    const std::uint64_t lower = Histogram::LowerEnd(Histogram::Index(ns));
    ASSERT_LE(lower, ns);
    ASSERT_LE(ns - lower, ns / 64) << ns;
  }
}

TEST(Histogram, HasRoomForTheLongestDuration) {
  Histogram histogram;
  histogram.Add(INT64_MAX);
  EXPECT_EQ(histogram.total(), 1);
  EXPECT_EQ(Buckets(histogram).size(), 1U);
}

TEST(Histogram, NumbersItsBucketsWithoutGaps) {
  for (std::size_t i = 1; i < 1'000; ++i) {
    ASSERT_EQ(Histogram::Index(Histogram::LowerEnd(i)), i);
    ASSERT_EQ(Histogram::Index(Histogram::LowerEnd(i) - 1), i - 1);
  }
}

TEST(Histogram, TakesATimeBeforeTheDueOneForNone) {
  Histogram histogram;
  histogram.Add(-5);
  EXPECT_THAT(Buckets(histogram), ElementsAre(Pair(0, 1)));
}

}  // namespace
}  // namespace requestrouter::bench
