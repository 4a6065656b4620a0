#include "ipc/zap.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <iterator>
#include <string>
#include <vector>

#include <zmq_addon.hpp>

namespace requestrouter::ipc {
namespace {

using ::testing::ElementsAre;

// What libzmq asks and is answered: ZeroMQ RFC 27.
class Zap : public ::testing::Test {
 protected:
  std::vector<std::string> Ask(const std::vector<std::string>& request) {
    zmq::socket_t asker(context_, zmq::socket_type::req);
    asker.set(zmq::sockopt::rcvtimeo, 10'000);
    asker.set(zmq::sockopt::linger, 0);
    asker.connect("inproc://zeromq.zap.01");
    std::vector<zmq::const_buffer> frames;
    for (const std::string& frame : request) frames.push_back(zmq::buffer(frame));
    zmq::send_multipart(asker, frames);
    std::vector<zmq::message_t> reply;
    EXPECT_TRUE(zmq::recv_multipart(asker, std::back_inserter(reply)));
    std::vector<std::string> texts;
    for (const zmq::message_t& frame : reply) texts.push_back(frame.to_string());
    return texts;
  }

  zmq::context_t context_;
  ZapHandler handler_{context_};
};

TEST_F(Zap, LetsInWhoBringsNoCredentials) {
  EXPECT_THAT(Ask({"1.0", "7", "domain", "address", "identity", "NULL"}),
              ElementsAre("1.0", "7", "200", "OK", "", ""));
}

TEST_F(Zap, TurnsAwayWhoBringsSomeOrAsksInAnotherWay) {
  const auto refusal = ElementsAre("1.0", "7", "400", "NULL only", "", "");
  EXPECT_THAT(Ask({"1.0", "7", "domain", "address", "identity", "PLAIN", "user", "word"}), refusal);
  EXPECT_THAT(Ask({"2.0", "7", "domain", "address", "identity", "NULL"}), refusal);
  EXPECT_THAT(Ask({"1.0", "7", "domain", "address", "NULL"}), refusal);
  EXPECT_THAT(Ask({"1.0"}), ElementsAre("1.0", "", "400", "NULL only", "", ""));
}

}  // namespace
}  // namespace requestrouter::ipc
