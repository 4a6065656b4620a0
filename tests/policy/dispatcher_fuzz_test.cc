#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>

#include "tests/policy/support.h"

// Random callers, providers and operators against the dispatcher, with the invariants checked after
// every step and a ledger beside it that knows only the promises: no window is ever overrun, no
// ticket is lost or answered twice, and the dispatcher never asks to be called without having
// something to do.
namespace requestrouter::policy {
namespace {

class World {
 public:
  explicit World(std::uint64_t seed) : random_(seed), dispatcher_(MakeConfig(), seed) {}

  void Step() {
    switch (Below(12)) {
      case 0:
      case 1:
      case 2:
        Enter();
        break;
      case 3:
      case 4:
      case 5:
        Finish();
        break;
      case 6:
        Leave();
        break;
      case 7:
        Operate();
        break;
      default:
        Sleep();
    }
    Turn();
    dispatcher_.SanityCheck(now_);
    ASSERT_EQ(dispatcher_.waiting_count(), waiting_.size());
    for (const std::uint64_t ticket : waiting_) ASSERT_TRUE(dispatcher_.IsWaiting(ticket));
  }

  // When all attempts end well, everything that waits is sent or refused in the end.
  void Drain() {
    for (int i = 0; i < 100'000 && !(waiting_.empty() && in_flight_.empty()); ++i) {
      if (!in_flight_.empty()) {
        const std::uint64_t ticket = in_flight_.begin()->first;
        in_flight_.erase(ticket);
        ASSERT_FALSE(dispatcher_.Finished(ticket, {}, now_));
      } else {
        const Instant next = dispatcher_.NextDeadline(now_);
        ASSERT_NE(next, kNever);
        now_ = next;
      }
      Turn();
    }
    ASSERT_TRUE(waiting_.empty());
    ASSERT_TRUE(in_flight_.empty());
  }

 private:
  std::int64_t Below(std::int64_t n) {
    return static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(n));
  }

  Config MakeConfig() {
    Config config = ConfigOf({});
    for (int i = 0; i < 5; ++i) {
      KeySpec key = KeyFor("key" + std::to_string(i), "flash", Rpm(2 + Below(4)));
      key.quota_group = "group" + std::to_string(i / 2);
      key.models[0].limits.tpm = Limit{1000};
      if (i % 2 == 0) key.models.push_back({"pro", Rpm(2)});
      if (i == 4) key.models[0].limits.max_in_flight = 1;
      if (i == 3) key.models[0].limits.rpd = 200;
      key.tier = i < 3 ? Tier::kLight : Tier::kHeavy;
      key.priority = 1 + i % 2;
      config.keys.push_back(key);
    }
    config.keys[1].models[0].limits = config.keys[0].models[0].limits;  // one group
    config.keys[3].models[0].limits = config.keys[2].models[0].limits;
    config.light_models = {"flash"};
    config.heavy_models = {"pro"};
    config.max_waiting = 40;
    config.user_limit = BucketSpec{30, 5};
    config.host_limit = BucketSpec{200, 20};
    config.retry.jitter = 0.25;
    return config;
  }

  void Enter() {
    Ask ask;
    ask.ticket = ++last_ticket_;
    ask.uid = static_cast<std::uint32_t>(Below(3));
    ask.pid = static_cast<std::int32_t>(Below(2));
    ask.agent = Below(2) ? "a" : "b";
    ask.user_id = Below(3) ? "" : "ann";
    const char* const models[] = {"flash", "pro", "", "unknown"};
    ask.model = models[Below(4)];
    ask.tier = static_cast<Tier>(Below(4));
    ask.allow_fallback = Below(2) == 0;
    ask.demand = {Below(1200), Below(100), 100, 0};
    ask.priority = static_cast<PriorityClass>(Below(3));
    ask.deadline = now_ + seconds(1 + Below(300));
    ask.wait_until = Below(5) ? ask.deadline : now_ + seconds(Below(60));
    if (Below(3) == 0) ask.preferred_key = "key" + std::to_string(Below(6));
    if (!dispatcher_.Enter(ask, now_)) waiting_.insert(ask.ticket);
  }

  void Finish() {
    if (in_flight_.empty()) return;
    auto entry = in_flight_.begin();
    std::advance(entry, Below(static_cast<std::int64_t>(in_flight_.size())));
    const std::uint64_t ticket = entry->first;
    const bool left = entry->second;
    in_flight_.erase(entry);
    Report report;
    if (Below(3) == 0) {
      report.fault =
          FaultOf(static_cast<FaultKind>(1 + Below(9)), {}, 500 + static_cast<int>(Below(2)));
      if (Below(2)) report.fault.retry_after = seconds(Below(20));
    }
    report.sent = Below(8) != 0;
    report.conclusive = Below(20) != 0;
    report.may_retry = Below(10) != 0;
    if (Below(2)) report.used = Demand{Below(1500), Below(200), 0, Below(100)};
    if (Below(2)) report.sent_at = now_;
    if (Below(30) == 0) report.remaining.requests = Below(3);
    const auto refusal = dispatcher_.Finished(ticket, report, now_);
    if (dispatcher_.IsWaiting(ticket)) {
      ASSERT_FALSE(left) << "who left is not retried";
      ASSERT_FALSE(refusal);
      ASSERT_TRUE(waiting_.insert(ticket).second);
    } else if (report.fault.kind != FaultKind::kNone && !left) {
      ASSERT_TRUE(refusal) << "a failure is not silent";
    }
  }

  void Leave() {
    const std::uint64_t ticket = last_ticket_ - static_cast<std::uint64_t>(Below(20));
    const bool was_waiting = waiting_.erase(ticket) > 0;
    ASSERT_EQ(dispatcher_.Leave(ticket, now_), was_waiting);
    if (const auto flying = in_flight_.find(ticket); flying != in_flight_.end()) {
      flying->second = true;
    }
  }

  void Operate() {
    const std::string key = "key" + std::to_string(Below(6));
    switch (Below(8)) {
      case 0:
        dispatcher_.SetEnabled(key, false, now_);
        break;
      case 1:
        dispatcher_.SetHasSecret(key, Below(3) != 0);
        break;
      case 2:
        dispatcher_.Configure(MakeConfig(), now_);
        break;
      case 3:
        dispatcher_.TakeChanged(now_);
        break;
      default:
        for (int i = 0; i < 5; ++i) {
          dispatcher_.SetEnabled("key" + std::to_string(i), true, now_);
          if (Below(4) == 0) dispatcher_.SetHasSecret("key" + std::to_string(i), true);
        }
        dispatcher_.Reset(key, false, now_);
    }
  }

  void Sleep() {
    const Instant next = dispatcher_.NextDeadline(now_);
    ASSERT_GT(next, now_) << "after a turn there is nothing to do at once";
    now_ = Below(2) && next != kNever ? std::min(next, now_ + hours(2))
                                      : now_ + milliseconds(Below(3000));
  }

  void Turn() {
    for (bool again = true; again;) {  // those who leave may make room for others
      again = false;
      while (const auto grant = dispatcher_.Next(now_)) {
        ASSERT_EQ(waiting_.erase(grant->ticket), 1U);
        in_flight_[grant->ticket] = false;
        ASSERT_GE(grant->waited, Duration::zero());
      }
      for (const Refusal& refusal : dispatcher_.Expire(now_)) {
        ASSERT_EQ(waiting_.erase(refusal.ticket), 1U);
        again = true;
      }
    }
    // Gauges are within their limits, apart from usage that turned out above its estimate.
    if (Below(50) != 0) return;
    const auto standing = dispatcher_.Waiting(now_);
    ASSERT_EQ(standing.size(), waiting_.size());
    for (const Standing& one : standing) {
      ASSERT_TRUE(waiting_.contains(one.ticket));
      ASSERT_GE(one.position, 1U);
    }
  }

  std::mt19937_64 random_;
  Dispatcher dispatcher_;
  Instant now_ = kStart;
  std::uint64_t last_ticket_ = 100;
  std::set<std::uint64_t> waiting_;
  std::map<std::uint64_t, bool> in_flight_;  // whether its caller has left
};

TEST(DispatcherFuzz, KeepsItsPromises) {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    SCOPED_TRACE(seed);
    World world(seed);
    for (int step = 0; step < 2'000; ++step) {
      world.Step();
      if (::testing::Test::HasFatalFailure()) FAIL() << "step " << step;
    }
    world.Drain();
    if (::testing::Test::HasFatalFailure()) return;
  }
}

}  // namespace
}  // namespace requestrouter::policy
