#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/config/load_support.h"

namespace requestrouter::config {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

tl::expected<Loaded, std::vector<Problem>> LoadText(const std::string& blocks) {
  const support::TempDir directory;
  return Load(directory.Write("keys.json", "{\"keys\": [],\n" + blocks + "}"), {});
}

std::vector<CallerRule> Rules(const std::string& callers) {
  const auto loaded = LoadText("\"callers\": " + callers);
  EXPECT_TRUE(loaded);
  return loaded ? loaded->config.callers : std::vector<CallerRule>{};
}

std::string Mistake(const std::string& blocks) {
  const auto loaded = LoadText(blocks);
  return loaded || loaded.error().empty() ? "" : ToString(loaded.error().front());
}

TEST(Callers, AreNamedByNumberOrByName) {
  const auto rules =
      Rules(R"([{"uid": 1234}, {"uid": "root"}, {"group": "root"}, {"group": 7}, {}])");
  ASSERT_EQ(rules.size(), 5u);
  EXPECT_EQ(rules[0].uid, 1234u);
  EXPECT_EQ(rules[1].uid, 0u);
  EXPECT_EQ(rules[2].gid, 0u);
  EXPECT_EQ(rules[3].gid, 7u);
  EXPECT_FALSE(rules[4].uid || rules[4].gid);
}

TEST(Callers, HaveModelsBudgetsAndAWeight) {
  const auto rules = Rules(R"([{"uid": 1, "models": ["a", "b-*"], "tokens_per_day": 5,
                                "usd_per_day": 0.25, "weight": 2.5}])");
  ASSERT_EQ(rules.size(), 1u);
  EXPECT_THAT(*rules[0].models, ElementsAre("a", "b-*"));
  EXPECT_EQ(rules[0].tokens_per_day, 5);
  EXPECT_EQ(rules[0].usd_per_day, 0.25);
  EXPECT_EQ(rules[0].weight, 2.5);
}

TEST(Callers, MistakesAreNamed) {
  EXPECT_THAT(Mistake(R"("callers": {})"), HasSubstr("callers: must be an array of objects"));
  EXPECT_THAT(Mistake(R"("callers": [1])"),
              HasSubstr("keys.json:2: callers[0]: must be an object"));
  EXPECT_THAT(Mistake(R"("callers": [{"uid": "no-such-user-here"}])"),
              HasSubstr("callers[0].uid: there is no such name here"));
  EXPECT_THAT(Mistake(R"("callers": [{"uid": 1, "group": 1}])"), HasSubstr("not both"));
  EXPECT_THAT(Mistake(R"("callers": [{"group": 1, "weight": 2}])"),
              HasSubstr("callers[0].weight: is of a uid"));
  EXPECT_THAT(Mistake(R"("callers": [{"uid": 1, "weight": 0}])"), HasSubstr("must be above 0"));
  EXPECT_THAT(Mistake(R"("callers": [{"tokens_per_day": 0}])"), HasSubstr("tokens_per_day"));
}

TEST(Agents, HaveWeights) {
  const auto loaded = LoadText(R"("agents": {"planner": {"weight": 3}, "_note": "hm"})");
  ASSERT_TRUE(loaded);
  EXPECT_THAT(loaded->config.agent_weights,
              ElementsAre(std::pair<const std::string, double>("planner", 3)));
  EXPECT_THAT(Mistake(R"("agents": {"planner": {"weight": -1}})"),
              HasSubstr("agents.planner.weight"));
}

}  // namespace
}  // namespace requestrouter::config
