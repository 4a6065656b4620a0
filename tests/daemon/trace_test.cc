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
  EXPECT_EQ(log.Find(1, "a"), nullptr);
  EXPECT_NE(log.Find(1, "b"), nullptr);
  EXPECT_NE(log.Find(1, "c"), nullptr);
}

TEST(TraceLog, AnIdThatIsUsedAgainShowsItsLastRequest) {
  TraceLog log(2);
  log.Add(TraceOf("a", "cancelled"));
  log.Add(TraceOf("a", "answered"));
  log.Add(TraceOf("b"));
  ASSERT_NE(log.Find(1, "a"), nullptr);
  EXPECT_EQ(log.Find(1, "a")->state, "answered");
}

TEST(TraceLog, IdsBelongToAUid) {
  TraceLog log(2);
  log.Add(TraceOf("a"));
  EXPECT_EQ(log.Find(2, "a"), nullptr);
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
