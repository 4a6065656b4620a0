#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "tests/daemon/daemon_fixture.h"

namespace requestrouter {
namespace {

using policy::KeyStateName;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const ipc::Peer kAdmin = {geteuid(), getegid(), getpid()};
const ipc::Peer kOther = {geteuid() + 1, getegid() + 1, 0};

class AdminOperationTest : public DaemonTest {};

ipc::ErrorType TypeOf(const ipc::Reply& reply) { return std::get<ipc::Error>(reply.outcome).type; }

TEST_F(AdminOperationTest, IsToldWithWhoAskedAndForWhat) {
  Ask(kAdmin, ipc::KeysDisableRequest{"k1"});
  ASSERT_EQ(admin_operations_.size(), 1u);
  EXPECT_EQ(admin_operations_[0].name, "keys.disable");
  EXPECT_EQ(admin_operations_[0].target, "k1");
  EXPECT_EQ(admin_operations_[0].peer.uid, kAdmin.uid);
  EXPECT_THAT(admin_operations_[0].caller, HasSubstr("pid " + std::to_string(getpid())));
  EXPECT_THAT(admin_failed_, ElementsAre(false));
}

TEST_F(AdminOperationTest, MayBeAskedForByMembersOfTheAdministratorsGroup) {
  admin_uid_ = kOther.uid;
  EXPECT_TRUE(
      std::holds_alternative<ipc::Value>(Ask(kOther, ipc::KeysDisableRequest{"k1"}).outcome));
  EXPECT_EQ(StateOf("k1"), KeyStateName::kDisabled);
}

TEST_F(AdminOperationTest, ThatFailsIsToldAsFailed) {
  EXPECT_EQ(TypeOf(Ask(kAdmin, ipc::KeysEnableRequest{"none"})), ipc::ErrorType::kNotFound);
  EXPECT_THAT(admin_failed_, ElementsAre(true));
}

TEST_F(AdminOperationTest, ThatIsNotAllowedDoesAndTellsNothing) {
  EXPECT_EQ(TypeOf(Ask(kOther, ipc::KeysDisableRequest{"k1"})), ipc::ErrorType::kPermissionDenied);
  EXPECT_EQ(TypeOf(Ask(kOther, ipc::ReloadRequest{})), ipc::ErrorType::kPermissionDenied);
  EXPECT_EQ(StateOf("k1"), KeyStateName::kReady);
  Ask(kAdmin, ipc::KeysListRequest{});
  EXPECT_THAT(admin_operations_, IsEmpty());
}

TEST_F(AdminOperationTest, ThatChangesKeysIsObservedAndStored) {
  Ask(kAdmin, ipc::KeysDisableRequest{"k1"});
  EXPECT_THAT(observer_.changed, ElementsAre("k1"));
  Settle();
  const auto stored = store_.StoredOf<storage::KeyState>();
  ASSERT_EQ(stored.size(), 1u);
  EXPECT_EQ(stored[0].key_id, "k1");
  EXPECT_TRUE(stored[0].disabled_by_operator);
}

}  // namespace
}  // namespace requestrouter
