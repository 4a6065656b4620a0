#include <gtest/gtest.h>

#include "tests/policy/support.h"

// A request that names its key is sent with that key or not at all.
namespace requestrouter::policy {
namespace {

class ChosenKey : public ::testing::Test {
 protected:
  static Config TwoKeys() {
    KeySpec first = KeyFor("first", "flash", Rpm(10));
    KeySpec second = KeyFor("second", "flash", Rpm(1));
    first.priority = 1;
    second.priority = 3;
    second.models.push_back({"pro", Rpm(1)});
    return ConfigOf({first, second});
  }
  Ask AskWith(const std::string& key_id, const std::string& model = "") {
    Ask ask = host_.AskFor(model);
    ask.key_id = key_id;
    ask.allow_fallback = true;
    ask.wait_until = host_.now;  // as the caller who does not wait
    return ask;
  }

  Host host_{TwoKeys()};
};

TEST_F(ChosenKey, IsUsedThoughAnotherIsPreferred) {
  ASSERT_FALSE(host_.Enter(AskWith("second", "flash")));
  EXPECT_EQ(host_.Next()->key_id, "second");
}

TEST_F(ChosenKey, IsNotReplacedByAnotherThatHasRoom) {
  ASSERT_FALSE(host_.Enter(AskWith("second", "flash")));
  ASSERT_TRUE(host_.Next());
  const auto refusal = host_.Enter(AskWith("second", "flash"));
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->reason, RefusalReason::kNoCapacity);
  EXPECT_GT(refusal->retry_after, Duration::zero());
}

TEST_F(ChosenKey, AnswersWithItsNextModelWhereNoneIsNamed) {
  ASSERT_FALSE(host_.Enter(AskWith("second")));
  EXPECT_EQ(host_.Next()->model, "flash");
  ASSERT_FALSE(host_.Enter(AskWith("second")));
  EXPECT_EQ(host_.Next()->model, "pro");
}

TEST_F(ChosenKey, ThatIsRefusedEndsTheRequestWithoutATryOfAnother) {
  const Ask ask = AskWith("second", "flash");
  ASSERT_FALSE(host_.Enter(ask));
  ASSERT_TRUE(host_.Next());
  const auto refusal = host_.Finish(ask.ticket, FaultOf(FaultKind::kKeyInvalid));
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->fault->kind, FaultKind::kKeyInvalid);
}

TEST_F(ChosenKey, ThatIsDisabledRefusesAtOnce) {
  host_.dispatcher.SetEnabled("second", false, host_.now);
  const auto refusal = host_.Enter(AskWith("second", "flash"));
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->reason, RefusalReason::kNoKeys);
}

TEST_F(ChosenKey, MustExistAndServeTheModel) {
  EXPECT_EQ(host_.Enter(AskWith("third", "flash"))->reason, RefusalReason::kNoSuchModel);
  EXPECT_EQ(host_.Enter(AskWith("first", "pro"))->reason, RefusalReason::kNoSuchModel);
}

TEST_F(ChosenKey, IsForgottenWithTheConfigurationThatHadIt) {
  Ask ask = AskWith("second", "flash");
  ask.wait_until = ask.deadline;
  ASSERT_FALSE(host_.Enter(ask));
  host_.dispatcher.Configure(ConfigOf({KeyFor("first", "flash", Rpm(10))}), host_.now);
  host_.dispatcher.SanityCheck(host_.now);
  EXPECT_FALSE(host_.Next());
  const auto refused = host_.dispatcher.Expire(host_.now);
  ASSERT_EQ(refused.size(), 1U);
  EXPECT_EQ(refused.front().reason, RefusalReason::kNoSuchModel);
}

}  // namespace
}  // namespace requestrouter::policy
