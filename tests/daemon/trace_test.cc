#include "daemon/router/trace.h"

#include <gtest/gtest.h>

namespace requestrouter::router {
namespace {

Trace TraceOf(const std::string& id, const std::string& state = "answered") {
  Trace trace;
  trace.id = id;
  trace.uid = 1;
  trace.state = state;
  return trace;
}

TEST(TraceLog, KeepsTheLastOnesAndForgetsTheOldest) {
  TraceLog log(2);
  for (const char* id : {"a", "b", "c"}) log.Add(TraceOf(id));
  EXPECT_FALSE(log.Find(1, "a"));
  EXPECT_TRUE(log.Find(1, "b"));
  EXPECT_TRUE(log.Find(1, "c"));
}

TEST(TraceLog, AnIdThatIsUsedAgainShowsItsLastRequest) {
  TraceLog log(2);
  log.Add(TraceOf("a", "cancelled"));
  log.Add(TraceOf("a", "answered"));
  log.Add(TraceOf("b"));
  ASSERT_TRUE(log.Find(1, "a"));
  EXPECT_EQ(log.Find(1, "a")->state, "answered");
}

TEST(TraceLog, IdsBelongToAUid) {
  TraceLog log(2);
  log.Add(TraceOf("a"));
  EXPECT_FALSE(log.Find(2, "a"));
}

TEST(TraceLog, GivesBackAllOfATrace) {
  Trace trace = TraceOf("a", "rate_limited");
  trace.caller = "ada";
  trace.timeline = {{7, "received", ""}, {9, "failed", std::string(300, 'd')}};
  trace.attempts = {{1, "k1", "small", "429", 429, 3, 40}, {2, "k2", "small", "ok", 0, 0, 5}};
  trace.considered.Add({"k1", "small", "cooling", 99});
  TraceLog log;
  log.Add(trace);
  const auto found = log.Find(1, "a");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->caller, "ada");
  EXPECT_EQ(found->state, "rate_limited");
  ASSERT_EQ(found->timeline.size(), 2u);
  EXPECT_EQ(found->timeline[0].at, 7);
  EXPECT_EQ(found->timeline[1].event, "failed");
  EXPECT_EQ(found->timeline[1].detail, std::string(300, 'd'));
  ASSERT_EQ(found->attempts.size(), 2u);
  EXPECT_EQ(found->attempts[0].status, 429);
  EXPECT_EQ(found->attempts[0].waited_ms, 3);
  EXPECT_EQ(found->attempts[0].duration_ms, 40);
  EXPECT_EQ(found->attempts[1].n, 2);
  EXPECT_EQ(found->attempts[1].key_id, "k2");
  EXPECT_EQ(found->attempts[1].model, "small");
  EXPECT_EQ(found->attempts[1].outcome, "ok");
  EXPECT_EQ(found->considered.All().at(0).until, 99);
}

TEST(TraceLog, GivesTheLastOnesOfAUidOrOfAll) {
  TraceLog log;
  for (const char* id : {"a", "b", "c"}) log.Add(TraceOf(id));
  Trace other = TraceOf("d");
  other.uid = 2;
  log.Add(other);
  const auto ids = [&](std::size_t most, std::optional<std::uint32_t> uid) {
    std::string all;
    for (const Trace& trace : log.Last(most, uid)) all += trace.id;
    return all;
  };
  EXPECT_EQ(ids(2, 1), "cb");
  EXPECT_EQ(ids(2, std::nullopt), "dc");
  EXPECT_EQ(ids(9, 2), "d");
}

TEST(CandidateList, GivesBackWhatWasAdded) {
  CandidateList list;
  const std::string long_name(300, 'm');
  list.Add({"k1", "small", "chosen", std::nullopt});
  list.Add({"", long_name, "rpm", 1'767'225'600'000});
  const auto all = list.All();
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].key_id, "k1");
  EXPECT_EQ(all[0].model, "small");
  EXPECT_EQ(all[0].verdict, "chosen");
  EXPECT_EQ(all[0].until, std::nullopt);
  EXPECT_EQ(all[1].key_id, "");
  EXPECT_EQ(all[1].model, long_name);
  EXPECT_EQ(all[1].verdict, "rpm");
  EXPECT_EQ(all[1].until, 1'767'225'600'000);
}

TEST(CandidateList, BeginsAnewAfterClear) {
  CandidateList list;
  list.Add({"k1", "small", "chosen", std::nullopt});
  list.Clear();
  EXPECT_TRUE(list.All().empty());
  list.Add({"k2", "large", "tried", std::nullopt});
  ASSERT_EQ(list.All().size(), 1u);
  EXPECT_EQ(list.All()[0].key_id, "k2");
}

}  // namespace
}  // namespace requestrouter::router
