#include "daemon/policy/retry.h"

#include <gtest/gtest.h>

#include "tests/policy/support.h"

namespace requestrouter::policy {
namespace {

struct Row {
  std::int64_t base_ms;
  double jitter;
  std::int64_t cap_ms;
  std::int64_t round;
  double random;
  std::int64_t retry_after_ms;  // -1: none
  std::int64_t expected_ms;
};

constexpr std::int64_t kHuge = INT64_MAX / 1'000'000;  // the longest Duration, in ms

TEST(RetryDelay, Table) {
  const Row rows[] = {
      // the rounds double the base
      {500, 0, 30'000, 1, 0.5, -1, 500},
      {500, 0, 30'000, 2, 0.5, -1, 1'000},
      {500, 0, 30'000, 3, 0.5, -1, 2'000},
      {500, 0, 30'000, 4, 0.5, -1, 4'000},
      {500, 0, 30'000, 6, 0.5, -1, 16'000},
      // up to the cap
      {500, 0, 30'000, 7, 0.5, -1, 30'000},
      {500, 0, 30'000, 8, 0.5, -1, 30'000},
      {500, 0, 30'000, 63, 0.5, -1, 30'000},
      {500, 0, 30'000, 64, 0.5, -1, 30'000},
      {500, 0, 30'000, INT64_MAX, 0.5, -1, 30'000},
      // a round that is none counts as the first
      {500, 0, 30'000, 0, 0.5, -1, 500},
      {500, 0, 30'000, -7, 0.5, -1, 500},
      // jitter, from -25% to +25%
      {1'000, 0.25, 30'000, 1, 0.0, -1, 750},
      {1'000, 0.25, 30'000, 1, 0.25, -1, 875},
      {1'000, 0.25, 30'000, 1, 0.5, -1, 1'000},
      {1'000, 0.25, 30'000, 1, 0.75, -1, 1'125},
      {1'000, 0.25, 30'000, 2, 0.0, -1, 1'500},
      // the cap holds for the jittered delay too
      {30'000, 0.25, 30'000, 1, 0.9, -1, 30'000},
      {30'000, 0.25, 30'000, 1, 0.0, -1, 22'500},
      // jitter of more than everything leaves no negative delay
      {1'000, 3.0, 30'000, 1, 0.0, -1, 0},
      // Retry-After is a floor
      {500, 0, 30'000, 1, 0.5, 7'000, 7'000},
      {500, 0, 30'000, 1, 0.5, 500, 500},
      {500, 0, 30'000, 1, 0.5, 499, 500},
      {500, 0, 30'000, 1, 0.5, 0, 500},
      {1'000, 0.25, 30'000, 1, 0.0, 900, 900},
      // also above the cap
      {500, 0, 30'000, 1, 0.5, 90'000, 90'000},
      {500, 0, 30'000, 99, 0.5, 31'000, 31'000},
      // no base, no delay; a cap below the base
      {0, 0.25, 30'000, 5, 0.9, -1, 0},
      {500, 0, 100, 1, 0.5, -1, 100},
      {-5, 0, 30'000, 3, 0.5, -1, 0},
      // nothing overflows
      {kHuge, 0, kHuge, 5, 0.5, -1, kHuge},
      {kHuge / 2 + 1, 0, kHuge, 2, 0.5, -1, kHuge},
      {1, 0, kHuge, INT64_MAX, 0.5, -1, kHuge},
  };
  for (const Row& row : rows) {
    RetryPolicy policy;
    policy.base = milliseconds(row.base_ms);
    policy.jitter = row.jitter;
    policy.cap = milliseconds(row.cap_ms);
    std::optional<Duration> after;
    if (row.retry_after_ms >= 0) after = milliseconds(row.retry_after_ms);
    const Duration delay = RetryDelay(policy, row.round, row.random, after);
    EXPECT_EQ(std::chrono::duration_cast<milliseconds>(delay).count(), row.expected_ms)
        << "base " << row.base_ms << " round " << row.round << " random " << row.random;
  }
}

}  // namespace
}  // namespace requestrouter::policy
