#include "daemon/current_configuration.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/daemon/daemon_fixture.h"

namespace requestrouter {
namespace {

using policy::FaultKind;
using policy::KeyStateName;
using ::testing::ElementsAre;

class CurrentConfigurationTest : public DaemonTest {
 protected:
  Reloaded Read(config::Config config) const {
    return {std::move(config), {catalog_->secrets(), {}}, {}};
  }

  Reloader reloader_{"/nonexistent/keys.json", ""};
  Notify notify_;
  Helper helper_{"helper"};
  CurrentConfiguration configuration_{
      {clock_, mailbox_, helper_, reloader_, notify_, dispatcher_, keys_, chats_, operations_,
       meters_, [](const auto&) { return tl::expected<void, std::string>(); }},
      catalog_};
};

TEST_F(CurrentConfigurationTest, AFetchedSecretLetsItsKeyBeUsed) {
  EXPECT_EQ(StateOf("k3"), KeyStateName::kNoSecret);
  configuration_.AdoptSecret("k3", SecretOf("three"));
  EXPECT_EQ(StateOf("k3"), KeyStateName::kReady);
  EXPECT_EQ(configuration_.catalog()->SecretOf("k3")->Reveal(), "three");
}

TEST_F(CurrentConfigurationTest, AKeyWhoseSecretWasRefusedIsUsedAgainWithAnotherOne) {
  Fail("k1", FaultKind::kKeyInvalid);
  configuration_.AdoptSecret("k1", SecretOf("one"));
  EXPECT_EQ(StateOf("k1"), KeyStateName::kDisabled) << "the refused one is no news";
  configuration_.AdoptSecret("k1", nullptr);
  EXPECT_EQ(StateOf("k1"), KeyStateName::kDisabled);
  configuration_.AdoptSecret("k1", SecretOf("another"));
  EXPECT_EQ(StateOf("k1"), KeyStateName::kReady);
  EXPECT_EQ(StoredStateOf("k1"), "ready");
}

TEST_F(CurrentConfigurationTest, OneKeysSecretDoesNotEnableThoseThatTheirProviderDisabled) {
  Fail("k1", FaultKind::kBilling);
  ASSERT_EQ(StateOf("k1"), KeyStateName::kDisabled);
  configuration_.AdoptSecret("k3", SecretOf("three"));
  EXPECT_EQ(StateOf("k1"), KeyStateName::kDisabled);
}

TEST_F(CurrentConfigurationTest, OneKeysSecretDoesNotForgetThatAnotherDoesNotServeAModel) {
  Fail("k1", FaultKind::kModel);
  const std::string verdict = VerdictOf("k1");
  EXPECT_NE(verdict, VerdictOf("k2"));
  configuration_.AdoptSecret("k3", SecretOf("three"));
  EXPECT_EQ(VerdictOf("k1"), verdict);
}

TEST_F(CurrentConfigurationTest, AReloadTriesDisabledKeysAgainAndStoresThatItDoes) {
  Fail("k1", FaultKind::kKeyInvalid);
  EXPECT_EQ(StoredStateOf("k1"), "disabled");
  observer_.changed.clear();
  configuration_.Adopt(Read(ThreeKeys()));
  EXPECT_EQ(StateOf("k1"), KeyStateName::kReady);
  EXPECT_EQ(StoredStateOf("k1"), "ready");
  EXPECT_THAT(observer_.changed, ElementsAre("k1"));
}

TEST_F(CurrentConfigurationTest, AReloadSaysWhatItChanged) {
  config::Config config = ThreeKeys();
  config.keys.pop_back();
  EXPECT_THAT(configuration_.Adopt(Read(std::move(config))).changed, ElementsAre("key k3 removed"));
  EXPECT_EQ(configuration_.Status(), "serving 2 keys");
}

}  // namespace
}  // namespace requestrouter
