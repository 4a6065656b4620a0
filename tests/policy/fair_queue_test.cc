#include "daemon/policy/fair_queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "tests/policy/support.h"

namespace requestrouter::policy {
namespace {

using ::testing::ElementsAre;

class FairQueueTest : public ::testing::Test {
 protected:
  std::uint64_t Push(std::uint32_t uid, std::string agent = "",
                     PriorityClass priority = PriorityClass::kNormal) {
    const std::uint64_t seq = next_++;
    FairQueue::Item item{seq, seq, uid, 1, std::move(agent), priority, now_};
    items_[seq] = item;
    queue_.Push(item);
    queue_.SanityCheck();
    return seq;
  }
  // Serves the head at `cost`.
  std::uint64_t Serve(double cost = 1) {
    const auto head = queue_.Head(now_);
    if (!head) return 0;
    const FairQueue::Item& item = items_[*head];
    queue_.Remove(*head);
    queue_.Charge(item.uid, item.pid, item.agent, cost);
    queue_.SanityCheck();
    return *head;
  }

  Instant now_ = kStart;
  FairQueue::Weights weights_;
  FairQueue queue_{&weights_, seconds(30)};
  std::map<std::uint64_t, FairQueue::Item> items_;
  std::uint64_t next_ = 1;
};

TEST_F(FairQueueTest, ServesOneCallerInOrder) {
  Push(1);
  Push(1);
  Push(1);
  EXPECT_EQ(Serve(), 1U);
  EXPECT_EQ(Serve(), 2U);
  EXPECT_EQ(Serve(), 3U);
  EXPECT_EQ(queue_.Head(now_), std::nullopt);
}

TEST_F(FairQueueTest, AlternatesBetweenUidsHoweverManyEachSends) {
  for (int i = 0; i < 6; ++i) Push(1);
  for (int i = 0; i < 2; ++i) Push(2);
  std::vector<std::uint64_t> order;
  for (int i = 0; i < 5; ++i) order.push_back(Serve());
  EXPECT_THAT(order, ElementsAre(1, 7, 2, 8, 3));
}

TEST_F(FairQueueTest, IsFairBetweenUidsBeforeAgents) {
  for (int i = 0; i < 3; ++i) Push(1, "a");
  for (int i = 0; i < 3; ++i) Push(1, "b");
  for (int i = 0; i < 3; ++i) Push(2, "c");
  std::map<std::uint32_t, int> served;
  for (int i = 0; i < 6; ++i) ++served[items_[Serve()].uid];
  EXPECT_EQ(served[1], 3);
  EXPECT_EQ(served[2], 3);
}

TEST_F(FairQueueTest, MeasuresWhatTheRequestsTake) {
  for (int i = 0; i < 40; ++i) Push(1, "large");
  for (int i = 0; i < 40; ++i) Push(1, "small");
  std::map<std::string, double> taken;
  for (int i = 0; i < 44; ++i) {
    const std::string agent = items_[*queue_.Head(now_)].agent;
    const double cost = agent == "large" ? 10 : 1;
    taken[agent] += cost;
    Serve(cost);
  }
  EXPECT_NEAR(taken["large"], taken["small"], 10);
}

TEST_F(FairQueueTest, WeightsDivide) {
  weights_.uids[1] = 3;
  for (int i = 0; i < 20; ++i) Push(1);
  for (int i = 0; i < 20; ++i) Push(2);
  std::map<std::uint32_t, int> served;
  for (int i = 0; i < 12; ++i) ++served[items_[Serve()].uid];
  EXPECT_EQ(served[1], 9);
  EXPECT_EQ(served[2], 3);
}

TEST_F(FairQueueTest, IdlenessIsNoCredit) {
  Push(1);
  Push(2);
  Serve();
  Serve();
  for (int i = 0; i < 20; ++i) Push(1);
  for (int i = 0; i < 10; ++i) Serve();
  for (int i = 0; i < 20; ++i) Push(2);
  std::map<std::uint32_t, int> served;
  for (int i = 0; i < 10; ++i) ++served[items_[Serve()].uid];
  EXPECT_NEAR(served[2], 5, 1);
}

TEST_F(FairQueueTest, PriorityGoesFirstWithinAUidAndNotBetweenUids) {
  Push(1, "", PriorityClass::kBatch);
  Push(1, "", PriorityClass::kInteractive);
  Push(2, "", PriorityClass::kBatch);
  EXPECT_EQ(Serve(), 2U);
  EXPECT_EQ(Serve(), 3U);
  EXPECT_EQ(Serve(), 1U);
}

TEST_F(FairQueueTest, AgeLiftsAPriorityClass) {
  Push(1, "", PriorityClass::kBatch);
  now_ += seconds(60) - Duration(1);
  Push(1, "", PriorityClass::kInteractive);
  EXPECT_EQ(queue_.Head(now_), 2U);
  now_ += Duration(1);
  EXPECT_EQ(queue_.Head(now_), 1U);
}

TEST_F(FairQueueTest, AheadAgreesWithTheOrder) {
  for (int i = 0; i < 4; ++i) Push(1, "a");
  for (int i = 0; i < 2; ++i) Push(1, "b", PriorityClass::kInteractive);
  for (int i = 0; i < 3; ++i) Push(2, "c");
  Serve();
  const auto order = queue_.Order(now_);
  ASSERT_EQ(order.size(), queue_.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    EXPECT_EQ(queue_.Ahead(items_[order[i]], now_), i) << order[i];
  }
}

TEST_F(FairQueueTest, MemoryOfCallersWhoLeftIsBounded) {
  for (std::uint32_t uid = 0; uid < 10'000; ++uid) {
    Push(uid, std::to_string(uid));
    Serve();
  }
  EXPECT_EQ(queue_.size(), 0U);
}

TEST_F(FairQueueTest, AWeightThatIsNotAboveZeroIsOne) {
  weights_.uids[1] = 0;
  weights_.uids[2] = -3;
  for (int i = 0; i < 4; ++i) Push(1);
  for (int i = 0; i < 4; ++i) Push(2);
  std::map<std::uint32_t, int> served;
  for (int i = 0; i < 4; ++i) ++served[items_[Serve()].uid];
  EXPECT_EQ(served[1], 2);
  EXPECT_EQ(served[2], 2);
}

TEST_F(FairQueueTest, WhoDoesNotWaitCannotLeave) {
  Push(1);
  EXPECT_FALSE(queue_.Remove(2));
  EXPECT_TRUE(queue_.Remove(1));
  EXPECT_FALSE(queue_.Remove(1));
}

TEST_F(FairQueueTest, HeadsAreThoseOfEachFlowAsManyAsAreWanted) {
  for (int i = 0; i < 2; ++i) Push(1, "a");
  Push(1, "b");
  Push(2, "c");
  EXPECT_THAT(queue_.Heads(now_, 9), ElementsAre(1, 3, 4));
  EXPECT_THAT(queue_.Heads(now_, 2), ElementsAre(1, 3));
  EXPECT_TRUE(queue_.Heads(now_, 0).empty());
}

TEST_F(FairQueueTest, AUidsLeadIsRememberedThoughManyOthersComeAndGo) {
  Push(2);
  Push(1);
  Push(1);
  queue_.Charge(1, 1, "", 1'000);
  for (std::uint32_t uid = 10; uid < 500; ++uid) {
    const std::uint64_t ticket = Push(uid);
    queue_.Charge(uid, 1, "", 1e-3);
    queue_.Remove(ticket);
    queue_.SanityCheck();
  }
  queue_.Charge(1, 1, "", 1);  // looks through those who have left
  EXPECT_EQ(Serve(), 1U);
  EXPECT_EQ(Serve(), 2U);
}

TEST_F(FairQueueTest, AnAgentsLeadIsRememberedThoughManyOthersComeAndGo) {
  Push(1, "slow");
  Push(1, "busy");
  queue_.Charge(1, 1, "busy", 1'000);
  for (int i = 0; i < 500; ++i) {
    const std::string agent = "guest" + std::to_string(i);
    const std::uint64_t ticket = Push(1, agent);
    queue_.Charge(1, 1, agent, 1e-3);
    queue_.Remove(ticket);
    queue_.SanityCheck();
  }
  EXPECT_EQ(Serve(), 1U);
  EXPECT_EQ(Serve(), 2U);
}

TEST_F(FairQueueTest, AgentsThatHaveLeftAreForgottenTogetherWhenTheirUidWaitsForNothing) {
  for (int i = 0; i < 128; ++i) {
    Push(1, "agent" + std::to_string(i));
    Serve(1 + i);
  }
  Push(1, "agent127");
  Push(1, "agent0");
  EXPECT_EQ(Serve(), 129U);
  EXPECT_EQ(Serve(), 130U);
}

// Against a naive queue that looks at everything each time.
TEST_F(FairQueueTest, FuzzAgainstANaiveQueue) {
  struct Naive {
    std::map<std::uint32_t, double> users;
    std::map<std::pair<std::uint32_t, std::string>, double> flows;
    std::map<std::uint32_t, double> user_now;
    double now = 0;
  } naive;
  std::map<std::uint64_t, FairQueue::Item> waiting;
  std::mt19937_64 random(5);
  const auto below = [&](std::uint64_t n) { return random() % n; };
  const auto waits = [&](std::uint32_t uid, const std::string* agent) {
    for (const auto& [ticket, item] : waiting) {
      if (item.uid == uid && (!agent || item.agent == *agent)) return true;
    }
    return false;
  };
  // The head by exhaustive search: least uid, then class, then flow, then seq.
  const auto head = [&] {
    std::optional<std::tuple<double, std::uint64_t, std::int64_t, Instant, std::size_t, double,
                             std::uint64_t, std::uint64_t>>
        best;
    for (const auto& [ticket, item] : waiting) {
      std::uint64_t user_first = UINT64_MAX, flow_first = UINT64_MAX;
      std::array<Instant, 3> oldest;
      oldest.fill(kNever);
      for (const auto& [other_ticket, other] : waiting) {
        if (other.uid != item.uid) continue;
        auto& old = oldest[static_cast<std::size_t>(other.priority)];
        old = std::min(old, other.entered);
        if (other.agent == item.agent && other.priority == item.priority) {
          flow_first = std::min(flow_first, other.seq);
        }
      }
      for (std::size_t c = 0; c < 3; ++c) {  // the first flow of each class
        std::optional<std::pair<double, std::uint64_t>> first;
        std::map<std::string, std::uint64_t> firsts;
        for (const auto& [other_ticket, other] : waiting) {
          if (other.uid != item.uid || static_cast<std::size_t>(other.priority) != c) continue;
          auto [entry, fresh] = firsts.try_emplace(other.agent, other.seq);
          entry->second = std::min(entry->second, other.seq);
        }
        for (const auto& [agent, seq] : firsts) {
          const std::pair<double, std::uint64_t> rank(naive.flows[{item.uid, agent}], seq);
          if (!first || rank < *first) first = rank;
        }
        if (first) user_first = std::min(user_first, first->second);
      }
      const auto index = static_cast<std::size_t>(item.priority);
      const auto steps = (now_ - oldest[index]) / Duration(seconds(30));
      const auto rank = std::make_tuple(
          naive.users[item.uid], user_first,
          std::max<std::int64_t>(static_cast<std::int64_t>(index) - steps, 0), oldest[index], index,
          naive.flows[{item.uid, item.agent}], flow_first, item.seq);
      if (!best || rank < *best) best = rank;
    }
    return best ? std::optional(std::get<7>(*best)) : std::nullopt;
  };
  for (int step = 0; step < 300'000; ++step) {
    now_ += seconds(below(4));
    if (waiting.size() < 12 && below(2) == 0) {
      const auto uid = static_cast<std::uint32_t>(below(3));
      const std::string agent(1, static_cast<char>('a' + below(3)));
      if (!waits(uid, nullptr)) naive.users[uid] = std::max(naive.users[uid], naive.now);
      if (!waits(uid, &agent)) {
        auto& time = naive.flows[{uid, agent}];
        time = std::max(time, naive.user_now[uid]);
      }
      const std::uint64_t ticket = Push(uid, agent, static_cast<PriorityClass>(below(3)));
      waiting[ticket] = items_[ticket];
    } else if (!waiting.empty() && below(5) == 0) {
      auto entry = waiting.begin();
      std::advance(entry, static_cast<std::ptrdiff_t>(below(waiting.size())));
      ASSERT_TRUE(queue_.Remove(entry->first));
      waiting.erase(entry);
    } else if (!waiting.empty()) {
      const auto expected = head();
      ASSERT_EQ(queue_.Head(now_), expected) << step;
      const FairQueue::Item item = waiting[*expected];
      waiting.erase(*expected);
      const double cost = static_cast<double>(1 + below(8)) / 8;
      Serve(cost);
      auto& user = naive.users[item.uid];
      user = std::max(user, naive.now);
      if (waits(item.uid, nullptr) || waiting.empty()) naive.now = std::max(naive.now, user);
      user += cost;
      auto& flow = naive.flows[{item.uid, item.agent}];
      flow = std::max(flow, naive.user_now[item.uid]);
      naive.user_now[item.uid] = flow;
      flow += cost;
    }
    queue_.SanityCheck();
    ASSERT_EQ(queue_.size(), waiting.size());
  }
}

}  // namespace
}  // namespace requestrouter::policy
