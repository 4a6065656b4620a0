#include "socket_fixture.h"

#include <poll.h>

#include <cstdlib>
#include <iterator>

#include <zmq_addon.hpp>

namespace requestrouter::ipc {
namespace {

constexpr int kPatienceMs = 10'000;

bool AwaitReadable(int fd, int timeout_ms) {
  pollfd item = {fd, POLLIN, 0};
  return poll(&item, 1, timeout_ms) > 0;
}

}  // namespace

SocketTest::SocketTest() {
  char name[] = "/tmp/rr-ipc-XXXXXX";
  if (!mkdtemp(name)) std::abort();
  folder_ = name;
}

SocketTest::~SocketTest() { std::filesystem::remove_all(folder_); }

ServerSocket::Options SocketTest::Options() const {
  ServerSocket::Options options;
  options.endpoint = Endpoint();
  return options;
}

std::unique_ptr<ServerSocket> SocketTest::Serve(const ServerSocket::Options& options) {
  auto server = ServerSocket::Bind(options);
  if (server) return std::move(*server);
  ADD_FAILURE() << server.error().message;
  std::abort();
}

std::string SocketTest::Refusal(const ServerSocket::Options& options) {
  const auto server = ServerSocket::Bind(options);
  if (server) {
    ADD_FAILURE() << "bound " << options.endpoint;
    return "";
  }
  EXPECT_EQ(server.error().type, ErrorType::kInternalError);
  return server.error().message;
}

zmq::socket_t SocketTest::Connect(zmq::socket_type type) {
  zmq::socket_t client(context_, type);
  client.set(zmq::sockopt::linger, 0);
  client.set(zmq::sockopt::rcvtimeo, kPatienceMs);
  client.set(zmq::sockopt::sndtimeo, kPatienceMs);
  client.connect(Endpoint());
  return client;
}

Incoming SocketTest::Await(ServerSocket& server) {
  for (;;) {
    if (auto message = server.Receive()) return std::move(*message);
    if (AwaitReadable(server.fd(), kPatienceMs)) continue;
    ADD_FAILURE() << "nothing arrived";
    return {};
  }
}

bool SocketTest::AwaitStatus(ServerSocket& server, const Envelope& envelope, SendStatus status,
                             const std::string& payload) {
  for (int i = 0; i < 100'000; ++i) {
    const SendStatus now = server.Send(envelope, payload);
    if (now == status) return true;
    if (now == SendStatus::kSent) continue;
    while (server.Receive()) continue;
    if (!AwaitReadable(server.fd(), 10)) continue;
  }
  return false;
}

void SocketTest::Send(zmq::socket_t& client, const std::vector<std::string>& frames) {
  for (std::size_t i = 0; i < frames.size(); ++i) {
    const bool last = i + 1 == frames.size();
    ASSERT_TRUE(client.send(zmq::buffer(frames[i]),
                            last ? zmq::send_flags::none : zmq::send_flags::sndmore));
  }
}

std::vector<std::string> SocketTest::Receive(zmq::socket_t& client) {
  std::vector<zmq::message_t> message;
  std::vector<std::string> frames;
  if (!zmq::recv_multipart(client, std::back_inserter(message))) return frames;
  for (const zmq::message_t& frame : message) frames.push_back(frame.to_string());
  return frames;
}

}  // namespace requestrouter::ipc
