#include "daemon/policy/sliding_window.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "tests/policy/support.h"

namespace requestrouter::policy {
namespace {

TEST(SlidingWindow, WhatWasAddedCountsUntilTheWindowHasPassedOverIt) {
  SlidingWindow window(10, seconds(60));
  window.Add(4, kStart);
  EXPECT_EQ(window.Used(kStart + seconds(60) - Duration(1)), 4);
  EXPECT_EQ(window.Used(kStart + seconds(60)), 0);
}

TEST(SlidingWindow, FitsUpToTheLimitAndNotBeyond) {
  SlidingWindow window(10, seconds(60));
  window.Add(4, kStart);
  EXPECT_TRUE(window.Fits(6, kStart));
  EXPECT_FALSE(window.Fits(7, kStart));
}

TEST(SlidingWindow, KnowsWhenAnAmountWillFit) {
  SlidingWindow window(10, seconds(60));
  window.Add(4, kStart);
  window.Add(6, kStart + seconds(5));
  const Instant now = kStart + seconds(10);
  EXPECT_EQ(window.ReadyAt(0, now), now);
  EXPECT_EQ(window.ReadyAt(4, now), kStart + seconds(60));
  EXPECT_EQ(window.ReadyAt(5, now), kStart + seconds(65));
  EXPECT_EQ(window.ReadyAt(10, now), kStart + seconds(65));
  EXPECT_EQ(window.ReadyAt(11, now), kNever);
}

TEST(SlidingWindow, AnOverrunIsAllowedAndCounts) {
  SlidingWindow window(10, seconds(60));
  window.Add(15, kStart);
  EXPECT_EQ(window.Used(kStart), 15);
  EXPECT_EQ(window.ReadyAt(1, kStart), kStart + seconds(60));
}

TEST(SlidingWindow, WhatHasLeftIsNotTakenBackFromWhatIsStillThere) {
  SlidingWindow window(10, seconds(60));
  window.Add(4, kStart);
  window.Add(3, kStart + seconds(30));
  const Instant now = kStart + seconds(60);
  window.Remove(4, kStart, now);
  EXPECT_EQ(window.Used(now), 3);
}

TEST(SlidingWindow, TheLimitMayChangeWithoutForgetting) {
  SlidingWindow window(10, seconds(60));
  window.Add(4, kStart);
  window.SetLimit(5, seconds(10));
  EXPECT_TRUE(window.Fits(1, kStart));
  EXPECT_FALSE(window.Fits(2, kStart));
  EXPECT_TRUE(window.Fits(5, kStart + seconds(10)));
}

TEST(SlidingWindow, MemoryIsBoundedAndMergingNeverLetsAmountsLeaveEarly) {
  SlidingWindow window(1'000'000, seconds(60));
  std::vector<Instant> added;
  Instant now = kStart;
  for (int i = 0; i < 100'000; ++i) {
    now += milliseconds(1);
    window.Add(1, now);
    added.push_back(now);
    ASSERT_LE(window.points(), SlidingWindow::kMaxPoints);
    if (i % 997 != 0) continue;
    window.SanityCheck();
    std::int64_t exact = 0;
    for (const Instant at : added) exact += at + seconds(60) > now;
    ASSERT_GE(window.Used(now), exact);
    ASSERT_LE(window.Used(now), exact + 60'000 / 512 + 1);  // one slot
  }
}

TEST(SlidingWindow, MemoryIsBoundedAlsoForAmountsOfThePast) {
  SlidingWindow window(1'000'000, seconds(60));
  for (int i = 0; i < 5'000; ++i) {
    window.Add(1, kStart + milliseconds((i * 7'919) % 5'000));
    ASSERT_LE(window.points(), SlidingWindow::kMaxPoints);
  }
  window.SanityCheck();
  EXPECT_EQ(window.Used(kStart + seconds(5)), 5'000);
  EXPECT_EQ(window.Used(kStart + seconds(70)), 0);
}

TEST(SlidingWindow, NoMoreIsTakenBackThanIsThere) {
  SlidingWindow window(10, seconds(60));
  window.Add(4, kStart);
  window.Remove(7, kStart, kStart);
  EXPECT_EQ(window.Used(kStart), 0);
  window.SanityCheck();
}

TEST(SlidingWindow, ReleasesSayWhatLeavesWhen) {
  SlidingWindow window(100, seconds(60));
  for (int i = 0; i < 10; ++i) window.Add(1, kStart + seconds(i));
  const auto all = window.Releases(kStart + seconds(10), 100);
  ASSERT_EQ(all.size(), 10U);
  EXPECT_EQ(all[3].at, kStart + seconds(63));
  const auto few = window.Releases(kStart + seconds(10), 3);
  ASSERT_LE(few.size(), 3U);
  EXPECT_EQ(few[0].at, kStart + seconds(60));
  EXPECT_EQ(few[0].amount, 4);
}

// The naive window: everything ever added, counted anew each time.
class NaiveWindow {
 public:
  NaiveWindow(std::int64_t limit, Duration window) : limit_(limit), window_(window) {}
  std::int64_t Used(Instant now) const {
    std::int64_t used = 0;
    for (const auto& [at, amount] : added_) used += at + window_ > now ? amount : 0;
    return used;
  }
  Instant ReadyAt(std::int64_t amount, Instant now) const {
    if (amount > limit_) return kNever;
    std::vector<Instant> moments{now};
    for (const auto& [at, ignored] : added_) {
      if (at + window_ > now) moments.push_back(at + window_);
    }
    std::sort(moments.begin(), moments.end());
    for (const Instant moment : moments) {
      if (Used(moment) + amount <= limit_) return moment;
    }
    return kNever;
  }
  void Add(std::int64_t amount, Instant at) { added_.emplace_back(at, amount); }
  void Remove(std::int64_t amount, Instant at) { added_.emplace_back(at, -amount); }
  void Forget(Instant now) {
    std::erase_if(added_, [&](const auto& one) { return one.first + window_ <= now; });
  }

 private:
  std::int64_t limit_;
  Duration window_;
  std::vector<std::pair<Instant, std::int64_t>> added_;
};

TEST(SlidingWindowFuzz, BehavesLikeTheNaiveOne) {
  std::mt19937_64 random(7);
  const auto below = [&](std::uint64_t n) { return static_cast<std::int64_t>(random() % n); };
  SlidingWindow window(50, seconds(10));
  NaiveWindow naive(50, seconds(10));
  std::vector<std::pair<Instant, std::int64_t>> held;
  Instant now = kStart;
  for (int step = 0; step < 1'000'000; ++step) {
    now += milliseconds(below(3) == 0 ? below(2000) : 0);
    const std::int64_t amount = below(12);
    switch (below(4)) {
      case 0:
        if (window.Fits(amount, now)) {
          window.Add(amount, now);
          naive.Add(amount, now);
          held.emplace_back(now, amount);
        }
        break;
      case 1: {  // what was counted later or not at all
        if (held.empty()) break;
        const auto index = static_cast<std::size_t>(below(held.size()));
        const auto [at, was] = held[index];
        held[index] = held.back();
        held.pop_back();
        window.Remove(was, at, now);
        naive.Remove(was, at);
        const Instant later = std::min(now, at + milliseconds(below(500)));
        window.Add(was / 2, later);
        naive.Add(was / 2, later);
        break;
      }
      default:
        break;
    }
    naive.Forget(now);
    ASSERT_EQ(window.Used(now), naive.Used(now)) << step;
    ASSERT_EQ(window.ReadyAt(amount, now), naive.ReadyAt(amount, now)) << step;
    ASSERT_EQ(window.Fits(amount, now), naive.ReadyAt(amount, now) == now) << step;
    window.SanityCheck();
  }
}

}  // namespace
}  // namespace requestrouter::policy
