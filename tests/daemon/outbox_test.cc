#include "daemon/router/outbox.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/daemon/fakes.h"

namespace requestrouter::router {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using Delivery = Outbox::Delivery;

const ipc::Envelope kAlice = {"alice", ""};
const ipc::Envelope kBob = {"bob", ""};
constexpr std::size_t kNameBytes = 5;  // of Alice's envelope: it counts, too

class OutboxTest : public ::testing::Test {
 protected:
  // Whether anybody has nothing waiting now.
  bool Flush() {
    int drained = 0;
    outbox_.Flush([&] { ++drained; });
    EXPECT_LE(drained, 1);
    return drained == 1;
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
  EXPECT_TRUE(Flush());
  EXPECT_THAT(socket_.sent[kAlice], ElementsAre("one", "two"));
}

TEST_F(OutboxTest, ASlowPeerDoesNotHoldUpAnother) {
  socket_.Let(kAlice, ipc::SendStatus::kFull);
  outbox_.Send(kAlice, "one");
  EXPECT_EQ(outbox_.Send(kBob, "two"), Delivery::kSent);
}

TEST_F(OutboxTest, APeerIsSlowAboveThePauseMarkAndNotAtIt) {
  socket_.Let(kAlice, ipc::SendStatus::kFull);
  const std::string up_to_the_mark(Outbox::kPauseBytes - kNameBytes, 'x');
  EXPECT_EQ(outbox_.Send(kAlice, up_to_the_mark), Delivery::kQueued);
  EXPECT_FALSE(outbox_.IsSlow(kAlice));
  EXPECT_EQ(outbox_.Send(kAlice, "x"), Delivery::kSlow);
  EXPECT_TRUE(outbox_.IsSlow(kAlice));
}

TEST_F(OutboxTest, APeerThatNeverReadsIsGivenUpAboveTheLimitAndNotAtIt) {
  std::vector<std::pair<std::size_t, std::size_t>> told;
  outbox_.OnGivenUp([&](std::size_t replies, std::size_t bytes) {
    told.push_back({replies, bytes});
  });
  socket_.Let(kAlice, ipc::SendStatus::kFull);
  const std::string up_to_the_limit(Outbox::kPeerLimit - kNameBytes, 'x');
  EXPECT_EQ(outbox_.Send(kAlice, up_to_the_limit), Delivery::kSlow);
  EXPECT_EQ(outbox_.waiting_bytes(), Outbox::kPeerLimit);
  EXPECT_THAT(told, IsEmpty());
  EXPECT_EQ(outbox_.Send(kAlice, ""), Delivery::kGone);
  EXPECT_TRUE(outbox_.empty()) << "what it did not read is dropped";
  EXPECT_EQ(outbox_.waiting_bytes(), 0u);
  EXPECT_EQ(outbox_.dropped(), 2u);
  EXPECT_THAT(told, ElementsAre(Pair(2u, Outbox::kPeerLimit + kNameBytes)));
}

TEST_F(OutboxTest, ReturnPathsOfOnePeerDoNotAddToItsLimit) {
  socket_.Let(kAlice, ipc::SendStatus::kFull);
  const std::string half(Outbox::kPeerLimit / 2, 'x');
  for (const char* number : {"1", "2"}) {
    const ipc::Envelope to = {"alice", number, ""};
    socket_.Let(to, ipc::SendStatus::kFull);
    outbox_.Send(to, half);
  }
  EXPECT_TRUE(outbox_.empty()) << "both count as Alice's";
}

TEST_F(OutboxTest, RepliesOverDifferentReturnPathsKeepTheirOrder) {
  const ipc::Envelope first = {"alice", "1", ""};
  const ipc::Envelope second = {"alice", "2", ""};
  socket_.Let(first, ipc::SendStatus::kFull);
  outbox_.Send(first, "one");
  EXPECT_EQ(outbox_.Send(second, "two"), Delivery::kQueued);
}

TEST_F(OutboxTest, AboveTheTotalTheFullestIsGivenUp) {
  const std::string most(Outbox::kPeerLimit - 100, 'x');
  const std::size_t peers = Outbox::kTotalLimit / most.size();
  for (std::size_t i = 0; i < peers; ++i) {
    const ipc::Envelope to = {"peer" + std::to_string(i), ""};
    socket_.Let(to, ipc::SendStatus::kFull);
    EXPECT_EQ(outbox_.Send(to, most), Delivery::kSlow);
  }
  socket_.Let(kAlice, ipc::SendStatus::kFull);
  const std::string little(100 * peers, 'x');
  EXPECT_EQ(outbox_.Send(kAlice, little), Delivery::kQueued) << "somebody else makes room";
  EXPECT_EQ(outbox_.dropped(), 1u);
  EXPECT_LE(outbox_.waiting_bytes(), Outbox::kTotalLimit);
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
