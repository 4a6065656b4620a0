#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <string>

#include <zmq.hpp>

#include "ipc/socket.h"
#include "tests/fuzz/input.h"

// Frames in any number, order and size over a real socket: only well-formed messages come out, and
// a well-formed one that follows is still understood.

using namespace requestrouter;

namespace {

constexpr char kLast[] = "the last";

// One daemon's socket and one client's, for all runs.
class Pair {
 public:
  Pair() {
    std::string pattern = (std::filesystem::temp_directory_path() / "rr-fuzz-XXXXXX").string();
    fuzz::Require(mkdtemp(pattern.data()) != nullptr, "no folder");
    folder_ = pattern;
    ipc::ServerSocket::Options options;
    options.endpoint = "ipc://" + folder_ + "/s";
    auto bound = ipc::ServerSocket::Bind(options);
    fuzz::Require(bound.has_value(), "not bound");
    server_ = std::move(*bound);
    client_.set(zmq::sockopt::linger, 0);
    client_.connect(options.endpoint);
  }
  ~Pair() { std::filesystem::remove_all(folder_); }
  Pair(const Pair&) = delete;
  Pair& operator=(const Pair&) = delete;

  void Send(std::string_view frame, bool more) {
    client_.send(zmq::buffer(frame.data(), frame.size()),
                 more ? zmq::send_flags::sndmore : zmq::send_flags::none);
  }
  ipc::Incoming Receive() {
    for (;;) {
      if (auto incoming = server_->Receive()) return *std::move(incoming);
      pollfd readable{server_->fd(), POLLIN, 0};
      poll(&readable, 1, 10);
    }
  }

 private:
  std::string folder_;
  std::unique_ptr<ipc::ServerSocket> server_;
  zmq::context_t context_;
  zmq::socket_t client_{context_, zmq::socket_type::dealer};
};

}  // namespace

// Each frame: its length, whether another follows it, its bytes.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Pair pair;
  fuzz::Choices choices(data, size);
  bool more = false;
  while (!choices.spent()) {
    const std::size_t length = choices.Byte() % 80;
    more = choices.Flip();
    pair.Send(choices.Take(length), more);
  }
  if (more) pair.Send("", false);
  pair.Send("", true);
  pair.Send(kLast, false);
  for (;;) {
    const ipc::Incoming incoming = pair.Receive();
    fuzz::Require(incoming.envelope.size() >= 2 && incoming.envelope.size() <= 64,
                  "an envelope of no size");
    fuzz::Require(incoming.envelope.back().empty(), "an envelope without its end");
    fuzz::Require(incoming.peer.pid == getpid(), "another's message");
    if (incoming.payload == kLast) return 0;
  }
}
