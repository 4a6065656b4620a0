#include "daemon/router/caller_rules.h"

#include <gtest/gtest.h>

namespace requestrouter::router {
namespace {

constexpr uid_t kNobodysUid = 4'000'000'001;  // of no user database
constexpr gid_t kGroup = 4'000'000'002;
constexpr ipc::Peer kPeer = {kNobodysUid, kGroup, 1};

config::CallerRule Rule(std::optional<uid_t> uid, std::optional<gid_t> gid, const char* model) {
  config::CallerRule rule;
  rule.uid = uid;
  rule.gid = gid;
  rule.models = {model};
  return rule;
}

std::string ModelOf(std::vector<config::CallerRule> rules) {
  const CallerRules all(std::move(rules));
  const config::CallerRule* rule = all.Of(kPeer, nullptr);
  EXPECT_EQ(rule, all.Of(kPeer, nullptr)) << "asked again";
  return rule ? rule->models->front() : "";
}

TEST(CallerRules, OfTheUidGoBeforeThoseOfItsGroupsAndThoseForAll) {
  const auto all = Rule({}, {}, "all");
  const auto group = Rule({}, kGroup, "group");
  const auto own = Rule(kNobodysUid, {}, "own");
  EXPECT_EQ(ModelOf({all, group, own}), "own");
  EXPECT_EQ(ModelOf({all, group}), "group");
  EXPECT_EQ(ModelOf({all}), "all");
}

TEST(CallerRules, OfOthersDoNotMatter) {
  EXPECT_EQ(ModelOf({Rule(1, {}, "other"), Rule({}, 1, "others")}), "");
  EXPECT_EQ(ModelOf({}), "");
}

TEST(CallerRules, OfAGroupHoldForItsMembersWhateverTheirOwnGroup) {
  constexpr gid_t kTeam = 4'000'000'003;
  const CallerRules rules({Rule({}, kTeam, "team")});
  User member;
  member.groups = {kGroup, kTeam};
  EXPECT_TRUE(rules.name_groups());
  EXPECT_NE(rules.Of(kPeer, &member), nullptr);
  EXPECT_EQ(CallerRules({Rule({}, kTeam, "team")}).Of(kPeer, nullptr), nullptr);
  EXPECT_FALSE(CallerRules({Rule(kNobodysUid, {}, "own")}).name_groups());
}

TEST(CallerRules, TheFirstOfSeveralHolds) {
  EXPECT_EQ(ModelOf({Rule(kNobodysUid, {}, "first"), Rule(kNobodysUid, {}, "second")}), "first");
}

TEST(CallerRules, ModelsAreNamesOrBeginnings) {
  config::CallerRule rule;
  EXPECT_TRUE(Allows(rule, "anything"));
  rule.models = {"gemini-2.5-pro", "claude-*"};
  EXPECT_TRUE(Allows(rule, "gemini-2.5-pro"));
  EXPECT_FALSE(Allows(rule, "gemini-2.5-pro-exp"));
  EXPECT_TRUE(Allows(rule, "claude-opus-4-5"));
  EXPECT_FALSE(Allows(rule, "gpt-4o"));
  rule.models->clear();
  EXPECT_FALSE(Allows(rule, "gpt-4o"));
}

}  // namespace
}  // namespace requestrouter::router
