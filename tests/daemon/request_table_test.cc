#include "daemon/router/request_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace requestrouter::router {
namespace {

using ::testing::ElementsAre;
using ::testing::UnorderedElementsAre;

const policy::Instant kT0{std::chrono::hours(1)};

class RequestTableTest : public ::testing::Test {
 protected:
  LiveRequest& Add(uid_t uid, const std::string& id, const std::string& conv_id = "",
                   policy::Instant deadline = kT0) {
    auto request = std::make_unique<LiveRequest>();
    request->peer = {uid, uid, static_cast<pid_t>(uid + 1000)};
    request->id = id;
    request->chat.conv_id = conv_id;
    request->deadline = deadline;
    return table_.Add(std::move(request));
  }
  RequestTable table_;
};

TEST_F(RequestTableTest, IdsBelongToAUid) {
  LiveRequest& mine = Add(1, "a");
  LiveRequest& theirs = Add(2, "a");
  EXPECT_EQ(table_.FindById(1, "a"), &mine);
  EXPECT_EQ(table_.FindById(2, "a"), &theirs);
  EXPECT_EQ(table_.FindById(3, "a"), nullptr);
}

TEST_F(RequestTableTest, AnErasedRequestIsFoundByNothing) {
  LiveRequest& request = Add(1, "a");
  table_.SetAttempt(request, 7);
  const std::uint64_t ticket = request.ticket;
  table_.Erase(request);
  EXPECT_EQ(table_.Find(ticket), nullptr);
  EXPECT_EQ(table_.FindById(1, "a"), nullptr);
  EXPECT_EQ(table_.FindByAttempt(7), nullptr);
  EXPECT_TRUE(table_.OfProcess(1001).empty());
  EXPECT_EQ(table_.NextDeadline(), policy::kNever);
}

TEST_F(RequestTableTest, TheRequestsOfAProcessAreFoundTogether) {
  LiveRequest& a = Add(1, "a");
  LiveRequest& b = Add(1, "b");
  Add(2, "c");
  EXPECT_THAT(table_.OfProcess(1001), UnorderedElementsAre(&a, &b));
}

TEST_F(RequestTableTest, TurnsOfAConversationAreTakenInTheOrderReceived) {
  LiveRequest& first = Add(1, "a", "talk");
  LiveRequest& second = Add(1, "b", "talk");
  LiveRequest& third = Add(1, "c", "talk");
  EXPECT_TRUE(table_.EnterLine(first));
  EXPECT_FALSE(table_.EnterLine(second));
  EXPECT_FALSE(table_.EnterLine(third));
  EXPECT_EQ(table_.LeaveLine(first), &second);
  EXPECT_EQ(table_.LeaveLine(second), &third);
  EXPECT_EQ(table_.LeaveLine(third), nullptr);
}

TEST_F(RequestTableTest, OneThatLeavesTheMiddleOfTheLineLetsNobodyBegin) {
  LiveRequest& first = Add(1, "a", "talk");
  LiveRequest& second = Add(1, "b", "talk");
  LiveRequest& third = Add(1, "c", "talk");
  for (const LiveRequest* request : {&first, &second, &third}) table_.EnterLine(*request);
  EXPECT_EQ(table_.LeaveLine(second), nullptr);
  EXPECT_EQ(table_.LeaveLine(first), &third);
}

TEST_F(RequestTableTest, TheSameConversationIdUnderTwoUidsIsTwoConversations) {
  EXPECT_TRUE(table_.EnterLine(Add(1, "a", "talk")));
  EXPECT_TRUE(table_.EnterLine(Add(2, "b", "talk")));
}

TEST_F(RequestTableTest, ADeadlineIsOverdueWhenItComesAndNotBefore) {
  LiveRequest& request = Add(1, "a", "", kT0);
  Add(1, "b", "", kT0 + std::chrono::seconds(1));
  EXPECT_EQ(table_.NextDeadline(), kT0);
  EXPECT_TRUE(table_.TakeOverdue(kT0 - std::chrono::nanoseconds(1)).empty());
  EXPECT_THAT(table_.TakeOverdue(kT0), ElementsAre(&request));
  EXPECT_TRUE(table_.TakeOverdue(kT0).empty()) << "each is returned once";
  EXPECT_EQ(table_.NextDeadline(), kT0 + std::chrono::seconds(1));
}

}  // namespace
}  // namespace requestrouter::router
