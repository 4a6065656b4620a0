#include "tests/bench/router/load.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <deque>
#include <string>

namespace requestrouter::bench {
namespace {

using std::chrono::milliseconds;

// Answers what was sent at the next Wait(), 1 ms later; or never. Time passes only in Wait().
class FakeTarget : public Target {
 public:
  void Send(std::uint64_t number) override {
    sent.push_back(number);
    most_outstanding = std::max(most_outstanding, sent.size());
    ++total;
  }
  void Wait(std::chrono::nanoseconds patience, const Arrived& arrived) override {
    now += std::min<std::chrono::nanoseconds>(patience, kAnswerTime);
    if (silent) return;
    for (; !sent.empty(); sent.pop_front()) arrived(sent.front(), error);
  }

  static constexpr milliseconds kAnswerTime{1};
  Clock::time_point now{std::chrono::hours(1)};
  std::deque<std::uint64_t> sent;
  std::size_t most_outstanding = 0;
  std::int64_t total = 0;
  std::string error;
  bool silent = false;
};

class LoadTest : public testing::Test {
 protected:
  LoadTest() {
    options.start = target.now;
    options.length = milliseconds(20);
    options.now = [this] { return target.now; };
  }

  FakeTarget target;
  LoadOptions options;
};

TEST_F(LoadTest, KeepsAClosedLoopsNumberOutstandingAndNoMore) {
  options.in_flight = 7;
  const LoadReport report = Load(options, &target).Run();
  EXPECT_EQ(target.most_outstanding, 7U);
  EXPECT_EQ(target.total, 7 * 20);
  EXPECT_EQ(report.failed, 0);
  EXPECT_EQ(report.unanswered, 0);
}

TEST_F(LoadTest, CountsAsInTimeWhatIsAnsweredBeforeTheEnd) {
  const LoadReport report = Load(options, &target).Run();
  EXPECT_EQ(report.in_time, 19);  // the twentieth answer comes at the end itself
  EXPECT_EQ(report.latency.total(), 20);
}

TEST_F(LoadTest, SendsAnOpenLoopsRequestsWhateverTheAnswers) {
  target.silent = true;
  options.rate = 1'000;
  const LoadReport report = Load(options, &target).Run();
  EXPECT_EQ(target.total, 20);
  EXPECT_EQ(report.unanswered, 20);
}

TEST_F(LoadTest, CountsLatencyFromTheInstantARequestWasDue) {
  options.rate = 100;
  options.length = milliseconds(50);
  options.tail = milliseconds(51);
  target.now += milliseconds(100);  // it comes late, and sends at once what was due
  const LoadReport report = Load(options, &target).Run();
  EXPECT_EQ(report.latency.total(), 5);
  report.latency.ForEach([](std::uint64_t ns, std::int64_t) { EXPECT_GT(ns, 60'000'000U); });
  EXPECT_EQ(report.late.total(), 5);
}

TEST_F(LoadTest, LeavesOutTheWarmUp) {
  options.rate = 1'000;
  options.warm_up = milliseconds(10);
  options.length = milliseconds(10);
  EXPECT_EQ(Load(options, &target).Run().latency.total(), 10);
  EXPECT_EQ(target.total, 20);
}

TEST_F(LoadTest, TellsOfFailures) {
  target.error = "overloaded: too many";
  const LoadReport report = Load(options, &target).Run();
  EXPECT_EQ(report.failed, 20);
  EXPECT_EQ(report.in_time, 0);
  EXPECT_EQ(report.error, "overloaded: too many");
}

}  // namespace
}  // namespace requestrouter::bench
