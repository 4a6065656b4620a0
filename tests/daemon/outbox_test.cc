#include "daemon/router/outbox.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/daemon/fakes.h"

namespace requestrouter::router {
namespace {

using ::testing::ElementsAre;
using Delivery = Outbox::Delivery;

const ipc::Envelope kAlice = {"alice", ""};
const ipc::Envelope kBob = {"bob", ""};

class OutboxTest : public ::testing::Test {
 protected:
  std::vector<ipc::Envelope> Flush() {
    std::vector<ipc::Envelope> drained;
    outbox_.Flush([&](const ipc::Envelope& peer) { drained.push_back(peer); });
    return drained;
  }
  FakeSocket socket_;
  Outbox outbox_{socket_};
};

TEST_F(OutboxTest, APeerThatReadsGetsItsRepliesAtOnce) {
  EXPECT_EQ(outbox_.Send(kAlice, "one"), Delivery::kSent);
  EXPECT_THAT(socket_.sent[kAlice], ElementsAre("one"));
  EXPECT_TRUE(outbox_.empty());
}

TEST_F(OutboxTest, PostedRepliesGoOutTogetherInTheirOrder) {
  outbox_.Post(kAlice, "one");
  outbox_.Post(kBob, "two");
  outbox_.Post(kAlice, "three");
  EXPECT_TRUE(socket_.sent.empty());
  EXPECT_FALSE(outbox_.empty());
  outbox_.SendPosted();
  EXPECT_TRUE(outbox_.empty());
  EXPECT_EQ(socket_.sent[kAlice], (std::vector<std::string>{"one", "three"}));
  EXPECT_EQ(socket_.sent[kBob], (std::vector<std::string>{"two"}));
}

TEST_F(OutboxTest, RepliesToAPeerThatDoesNotReadWaitAndKeepTheirOrder) {
  socket_.Let(kAlice, ipc::SendStatus::kFull);
  EXPECT_EQ(outbox_.Send(kAlice, "one"), Delivery::kQueued);
  socket_.Let(kAlice, ipc::SendStatus::kSent);
  EXPECT_EQ(outbox_.Send(kAlice, "two"), Delivery::kQueued) << "must not overtake the first";
  EXPECT_THAT(Flush(), ElementsAre(kAlice));
  EXPECT_THAT(socket_.sent[kAlice], ElementsAre("one", "two"));
}

TEST_F(OutboxTest, ASlowPeerDoesNotHoldUpAnother) {
  socket_.Let(kAlice, ipc::SendStatus::kFull);
  outbox_.Send(kAlice, "one");
  EXPECT_EQ(outbox_.Send(kBob, "two"), Delivery::kSent);
}

TEST_F(OutboxTest, APeerIsSlowAboveThePauseMarkAndNotAtIt) {
  socket_.Let(kAlice, ipc::SendStatus::kFull);
  EXPECT_EQ(outbox_.Send(kAlice, std::string(Outbox::kPauseBytes, 'x')), Delivery::kQueued);
  EXPECT_FALSE(outbox_.IsSlow(kAlice));
  EXPECT_EQ(outbox_.Send(kAlice, "x"), Delivery::kSlow);
  EXPECT_TRUE(outbox_.IsSlow(kAlice));
}

TEST_F(OutboxTest, APeerThatNeverReadsIsGivenUpAtTheLimit) {
  socket_.Let(kAlice, ipc::SendStatus::kFull);
  EXPECT_EQ(outbox_.Send(kAlice, std::string(Outbox::kPeerLimit, 'x')), Delivery::kSlow);
  EXPECT_EQ(outbox_.Send(kAlice, "x"), Delivery::kGone);
  EXPECT_TRUE(outbox_.empty()) << "what it did not read is dropped";
}

TEST_F(OutboxTest, APeerThatLeavesWhileRepliesWaitIsForgotten) {
  socket_.Let(kAlice, ipc::SendStatus::kFull);
  outbox_.Send(kAlice, "one");
  socket_.Let(kAlice, ipc::SendStatus::kGone);
  Flush();
  EXPECT_TRUE(outbox_.empty());
}

}  // namespace
}  // namespace requestrouter::router
