#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <queue>
#include <random>

#include "tests/policy/support.h"

// Offered load at three times the capacity against a provider that counts exactly: next to nothing
// of the quota is left unused, and nothing is overrun.
namespace requestrouter::policy {
namespace {

// Counts what arrives, independently of the code under test.
class TrueLimit {
 public:
  TrueLimit(std::int64_t rpm, std::int64_t tpm) : rpm_(rpm), tpm_(tpm) {}
  bool Accept(std::int64_t tokens, Instant now) {
    while (!seen_.empty() && seen_.front().first + seconds(60) <= now) {
      tokens_ -= seen_.front().second;
      seen_.pop_front();
    }
    if (static_cast<std::int64_t>(seen_.size()) + 1 > rpm_ || tokens_ + tokens > tpm_) return false;
    seen_.emplace_back(now, tokens);
    tokens_ += tokens;
    requests_total += 1;
    tokens_total += tokens;
    return true;
  }
  std::int64_t requests_total = 0, tokens_total = 0;

 private:
  std::int64_t rpm_, tpm_, tokens_ = 0;
  std::deque<std::pair<Instant, std::int64_t>> seen_;
};

struct Outcome {
  double request_yield = 0, token_yield = 0, jain = 0;
  int refused = 0;  // 429s
};

Outcome Play(std::int64_t rpm, std::int64_t tpm, std::int64_t max_tokens, int callers) {
  constexpr int kKeys = 3, kMinutes = 30;
  std::mt19937_64 random(1);
  Config config = ConfigOf({});
  std::map<std::string, TrueLimit> provider;
  for (int i = 0; i < kKeys; ++i) {
    LimitSet limits = Rpm(rpm);
    limits.tpm = Limit{tpm};
    limits.guard = milliseconds(250);
    config.keys.push_back(KeyFor(std::to_string(i), "flash", limits));
    provider.emplace(std::to_string(i), TrueLimit(rpm, tpm));
  }
  Dispatcher dispatcher(config, 1);
  struct Sent {
    Instant done;
    std::uint64_t ticket;
    Report report;
    bool operator>(const Sent& other) const { return done > other.done; }
  };
  std::priority_queue<Sent, std::vector<Sent>, std::greater<>> in_flight;
  std::map<std::uint64_t, std::pair<int, std::int64_t>> tickets;  // caller, tokens
  std::vector<double> served(static_cast<std::size_t>(callers));
  std::uint64_t last_ticket = 0;
  Instant now = kStart;
  const Instant end = kStart + minutes(kMinutes);
  Outcome outcome;
  const auto enter = [&](int caller) {
    Ask ask;
    ask.ticket = ++last_ticket;
    ask.uid = 1000;
    ask.pid = caller;
    ask.model = "flash";
    ask.allow_fallback = false;
    ask.demand.input_tokens =
        1 + static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(max_tokens));
    ask.deadline = ask.wait_until = end + hours(10);
    tickets[ask.ticket] = {caller, ask.demand.input_tokens};
    ASSERT_FALSE(dispatcher.Enter(ask, now));
  };
  for (int i = 0; i < 4 * callers; ++i) enter(i % callers);
  while (now < end) {
    while (!in_flight.empty() && in_flight.top().done <= now) {
      dispatcher.Finished(in_flight.top().ticket, in_flight.top().report, now);
      in_flight.pop();
    }
    while (const auto grant = dispatcher.Next(now)) {
      const auto [caller, tokens] = tickets[grant->ticket];
      const Instant arrives = now + milliseconds(20);
      Report report;
      report.sent_at = now + milliseconds(10);
      if (provider.at(grant->key_id).Accept(tokens, arrives)) {
        report.used = Demand{tokens, 0, 0, 0};
        served[static_cast<std::size_t>(caller)] += 1;
      } else {
        report.fault = FaultOf(FaultKind::kMinuteQuota, seconds(30), 429);
        ++outcome.refused;
      }
      in_flight.push({arrives + seconds(1 + random() % 8), grant->ticket, report});
      enter(caller);  // the backlog of each caller never empties
    }
    Instant next = dispatcher.NextDeadline(now);
    if (!in_flight.empty()) next = std::min(next, in_flight.top().done);
    EXPECT_GT(next, now);
    now = next + milliseconds(1);  // the loop wakes a little late
  }
  for (const auto& [key, limit] : provider) {
    outcome.request_yield +=
        static_cast<double>(limit.requests_total) / static_cast<double>(rpm * kMinutes * kKeys);
    outcome.token_yield +=
        static_cast<double>(limit.tokens_total) / static_cast<double>(tpm * kMinutes * kKeys);
  }
  double sum = 0, squares = 0;
  for (const double share : served) {
    sum += share;
    squares += share * share;
  }
  outcome.jain = sum * sum / (static_cast<double>(callers) * squares);
  return outcome;
}

TEST(Yield, RequestBoundLoadUsesNinetyNinePercentAndDrawsNoRefusal) {
  const Outcome outcome = Play(10, 1'000'000, 100, 6);
  EXPECT_GE(outcome.request_yield, 0.99);
  EXPECT_EQ(outcome.refused, 0);
  EXPECT_GE(outcome.jain, 0.99);
}

TEST(Yield, TokenBoundLoadOfMixedSizesUsesNinetyNinePercentAndDrawsNoRefusal) {
  const Outcome outcome = Play(1000, 20'000, 1'000, 20);
  EXPECT_GE(outcome.token_yield, 0.99);
  EXPECT_EQ(outcome.refused, 0);
  EXPECT_GE(outcome.jain, 0.98);
}

}  // namespace
}  // namespace requestrouter::policy
