#include <gtest/gtest.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <csignal>
#include <stdexcept>
#include <zmq.hpp>

#include "tests/support/raw_client.h"
#include "tests/support/subprocess.h"
#include "tests/support/temp_dir.h"

namespace requestrouter::support {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

Subprocess::Options Shell(const std::string& script, const std::string& input = {}) {
  return {{"/bin/sh", "-c", script}, {{"GREETING", "hello"}}, input};
}

TEST(TempDir, IsPrivateAndGoneAtTheEnd) {
  std::string path;
  {
    const TempDir dir;
    path = dir.path();
    struct stat status {};
    ASSERT_EQ(stat(path.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0700u);
    const std::string file = dir.Write("a", "content");
    ASSERT_EQ(stat(file.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0600u);
    EXPECT_EQ(dir.Read("a"), "content");
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(Subprocess, TakesInputAndEnvironmentAndGivesOutputsAndStatus) {
  Subprocess shell(Shell("read word; echo $GREETING $word; echo trouble >&2; exit 3", "world\n"));
  EXPECT_EQ(shell.Wait(seconds(10)), 3);
  EXPECT_EQ(shell.Output(), "hello world\n");
  EXPECT_EQ(shell.Errors(), "trouble\n");
  EXPECT_FALSE(shell.IsRunning());
}

TEST(Subprocess, WaitsForALineAndNotLongerThanItIsTold) {
  Subprocess shell(Shell("echo one; echo and two; read forever"));
  EXPECT_EQ(shell.WaitForLine("two", seconds(10)), "and two");
  EXPECT_EQ(shell.WaitForLine("three", milliseconds(20)), std::nullopt);
  EXPECT_EQ(shell.Wait(seconds(10)), 1);                             // end of its input
  EXPECT_EQ(shell.WaitForLine("three", seconds(10)), std::nullopt);  // at once
}

TEST(Subprocess, DoesNotBlockOnMuchOutput) {
  Subprocess shell(Shell("head -c 1000000 /dev/zero"));
  EXPECT_EQ(shell.Wait(seconds(20)), 0);
  EXPECT_EQ(shell.Output().size(), 1'000'000u);
}

TEST(Subprocess, IsTerminatedOrKilled) {
  Subprocess polite(Shell("trap 'exit 7' TERM; echo ready; while :; do read x; sleep 1; done"));
  ASSERT_TRUE(polite.WaitForLine("ready", seconds(10)));
  EXPECT_EQ(polite.Terminate(), 7);
  Subprocess stubborn(Shell("trap '' TERM; echo ready; while :; do sleep 1; done"));
  ASSERT_TRUE(stubborn.WaitForLine("ready", seconds(10)));
  EXPECT_EQ(stubborn.Terminate(milliseconds(20)), -SIGKILL);
}

TEST(Subprocess, LeavesNoGrandchildrenBehind) {
  int grandchild = -1;
  {
    Subprocess shell(Shell("sleep 1000 & echo pid $!; wait"));
    const auto line = shell.WaitForLine("pid", seconds(10));
    ASSERT_TRUE(line);
    grandchild = static_cast<int>(syscall(SYS_pidfd_open, std::stoi(line->substr(4)), 0));
    pollfd running{grandchild, POLLIN, 0};
    EXPECT_EQ(poll(&running, 1, 0), 0);
  }
  pollfd ended{grandchild, POLLIN, 0};
  EXPECT_EQ(poll(&ended, 1, 10'000), 1);
  close(grandchild);
}

TEST(Subprocess, SaysThatThereIsNoSuchProgram) {
  EXPECT_THROW(Subprocess({{"/no/such/program"}, {}, {}}), std::runtime_error);
}

// A ROUTER socket that answers what it is told to, on the test's own thread.
class RawClientTest : public ::testing::Test {
 protected:
  RawClientTest() { router_.bind(endpoint_); }

  // The frames of the next request; the payload is the last one.
  std::vector<std::string> ReceiveFrames() {
    std::vector<std::string> frames;
    zmq::message_t frame;
    do {
      EXPECT_TRUE(router_.recv(frame));
      frames.push_back(frame.to_string());
    } while (frame.more());
    return frames;
  }
  void Reply(std::vector<std::string> frames, const Json& message) {
    const auto payload = Json::to_msgpack(message);
    frames.back().assign(payload.begin(), payload.end());
    for (const std::string& frame : frames) {
      router_.send(zmq::buffer(frame),
                   &frame == &frames.back() ? zmq::send_flags::none : zmq::send_flags::sndmore);
    }
  }

  TempDir dir_;
  const std::string endpoint_ = "ipc://" + dir_.File("s");
  zmq::context_t context_;
  zmq::socket_t router_{context_, zmq::socket_type::router};
};

TEST_F(RawClientTest, SpeaksTheProtocolOverBothSockets) {
  for (const auto kind : {RawClient::Kind::kReq, RawClient::Kind::kDealer}) {
    RawClient client(endpoint_, kind);
    const std::string id =
        client.Send("chat", {{"data", Json::binary({1, 2})}}, "", {{"deadline_ms", 5}});
    const auto frames = ReceiveFrames();
    ASSERT_EQ(frames.size(), 3u);  // routing id, delimiter, payload
    EXPECT_EQ(frames[1], "");
    const Json request = Json::from_msgpack(frames[2]);
    EXPECT_EQ(request["v"], 1);
    EXPECT_EQ(request["id"], id);
    EXPECT_EQ(request["op"], "chat");
    EXPECT_EQ(request["deadline_ms"], 5);
    EXPECT_EQ(request["body"]["data"].get_binary().size(), 2u);
    Reply(frames, {{"v", 1}, {"id", id}, {"final", true}, {"ok", true}, {"body", {{"n", 7}}}});
    EXPECT_EQ(client.ReceiveFinal()["body"]["n"], 7);
  }
}

TEST_F(RawClientTest, CollectsWhatComesBeforeTheFinalMessage) {
  RawClient client(endpoint_);
  const std::string id = client.Send("chat");
  const auto frames = ReceiveFrames();
  for (const bool final_one : {false, false, true}) {
    Reply(frames, {{"v", 1}, {"id", id}, {"final", final_one}, {"ok", true}});
  }
  std::vector<Json> partial;
  client.ReceiveFinal(seconds(10), &partial);
  EXPECT_EQ(partial.size(), 2u);
}

TEST_F(RawClientTest, ObjectsToWhatIsNotAReply) {
  RawClient client(endpoint_);
  client.Send("ping");
  Reply(ReceiveFrames(), {{"v", 2}});
  EXPECT_THROW(client.Receive(), std::runtime_error);
  EXPECT_EQ(client.Receive(milliseconds(10)), std::nullopt);
}

}  // namespace
}  // namespace requestrouter::support
