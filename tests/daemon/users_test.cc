#include "daemon/router/users.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/router/access.h"
#include "daemon/router/caller_names.h"
#include "tests/daemon/fakes.h"

namespace requestrouter::router {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr ipc::Peer kAda = {4'000'000'001, 1000, 0};
constexpr ipc::Peer kBob = {4'000'000'002, 1000, 0};

// A user database that answers when told to.
class UsersTest : public ::testing::Test {
 protected:
  UsersTest() { users_.Configure("admins"); }

  void Answer() {
    threads::Assume(threads::kRouterThread);
    std::vector<Users::Task> tasks = std::move(asked_);
    asked_.clear();
    for (const Users::Task& task : tasks) task();
    mailbox_.Drain();
  }
  void Ask(const ipc::Peer& peer) {
    users_.WhenKnown(peer, [this, peer](const auto& user) {
      told_.push_back(user->name + (IsAdmin(peer, user.get()) ? ", administrator" : ""));
    });
  }

  FakeClock clock_;
  Mailbox mailbox_;
  std::vector<Users::Task> asked_;
  std::vector<std::string> told_;
  std::string admin_ = "ada";
  Users users_{clock_, mailbox_, [this](Users::Task task) { asked_.push_back(std::move(task)); },
               [this](const ipc::Peer& peer, const std::string& group) {
                 User user;
                 user.name = peer.uid == kAda.uid ? "ada" : "bob";
                 user.in_admin_group = group == "admins" && user.name == admin_;
                 return user;
               }};
};

TEST_F(UsersTest, WhoNeedsAnAnswerGetsItWhenTheDatabaseHasAnswered) {
  Ask(kAda);
  Ask(kAda);
  Ask(kBob);
  EXPECT_THAT(told_, IsEmpty());
  EXPECT_EQ(users_.waiting_count(), 3u);
  EXPECT_EQ(asked_.size(), 2u) << "once for each user";
  Answer();
  EXPECT_THAT(told_, ElementsAre("ada, administrator", "ada, administrator", "bob"));
  EXPECT_EQ(users_.waiting_count(), 0u);
}

TEST_F(UsersTest, AnAnswerHoldsForAMinute) {
  Ask(kAda);
  Answer();
  admin_ = "nobody";
  clock_.Advance(std::chrono::milliseconds(59'999));
  Ask(kAda);
  EXPECT_EQ(told_.back(), "ada, administrator");
  EXPECT_EQ(told_.size(), 2u);
  clock_.Advance(std::chrono::milliseconds(1));
  Ask(kAda);
  Answer();
  EXPECT_EQ(told_.back(), "ada");
}

TEST_F(UsersTest, AReloadForgetsAnswersAndThoseThatAreUnderWay) {
  Ask(kAda);
  users_.Configure("others");
  Answer();
  EXPECT_THAT(told_, IsEmpty()) << "it was asked about the former group";
  Answer();
  EXPECT_THAT(told_, ElementsAre("ada"));
}

TEST_F(UsersTest, AreShownWithTheirNameOnceItIsKnown) {
  CallerNames names(users_);
  EXPECT_EQ(names.Of(kAda), "uid 4000000001 pid 0");
  Ask(kAda);
  Answer();
  EXPECT_EQ(names.Of(kAda), "uid 4000000001 (ada) pid 0");
}

}  // namespace
}  // namespace requestrouter::router
