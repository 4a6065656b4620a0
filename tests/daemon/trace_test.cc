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

}  // namespace
}  // namespace requestrouter::router
