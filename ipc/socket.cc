#include "ipc/socket.h"

#include <sys/random.h>
#include <sys/stat.h>

#include <charconv>
#include <cstdlib>
#include <utility>

#include <zmq.hpp>

#include "ipc/socket_path.h"
#include "ipc/zap.h"

namespace requestrouter::ipc {
namespace {

// Handshakes that do not finish hold a descriptor each, and libzmq ends the process without any.
constexpr int kHandshakeMs = 2'000;

// Messages that wait in libzmq for one peer; beyond them Send says kFull.
constexpr int kSendQueue = 1'000;
constexpr int kReceiveQueue = 1'000;
constexpr int kBacklog = 1'024;

// What is still unsent at the end is given this long.
constexpr int kLingerMs = 500;

// libzmq draws routing ids from rand(): unseeded, a peer could claim the next one and make it
// assert.
void SeedRoutingIds() {
  static const bool seeded = [] {
    unsigned seed = 0;
    if (getrandom(&seed, sizeof seed, 0) != sizeof seed) std::abort();
    std::srand(seed);
    return true;
  }();
  static_cast<void>(seeded);
}

template <typename T>
std::optional<T> ParseNumber(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// "localhost:UID:GID:PID", read from the right.
std::optional<Peer> ParsePeer(std::string_view address) {
  const auto take = [&address]() -> std::string_view {
    const std::size_t colon = address.rfind(':');
    if (colon == std::string_view::npos) return {};
    const std::string_view part = address.substr(colon + 1);
    address = address.substr(0, colon);
    return part;
  };
  const auto pid = ParseNumber<pid_t>(take());
  const auto gid = ParseNumber<gid_t>(take());
  const auto uid = ParseNumber<uid_t>(take());
  if (!pid || !gid || !uid) return std::nullopt;
  return Peer{*uid, *gid, *pid};
}

// After a poll the routing id's frame lacks the property, so a body frame is asked.
std::optional<Peer> PeerOf(zmq::message_t& frame) {
  const char* address = zmq_msg_gets(frame.handle(), "Peer-Address");
  if (!address) return std::nullopt;
  return ParsePeer(address);
}

class RouterSocket final : public ServerSocket {
 public:
  RouterSocket(const Options& options, SocketPath path)
      : path_(std::move(path)), zap_(context_), socket_(context_, ZMQ_ROUTER) {
    socket_.set(zmq::sockopt::zap_domain, "requestrouter");
    socket_.set(zmq::sockopt::router_mandatory, true);
    socket_.set(zmq::sockopt::maxmsgsize, static_cast<std::int64_t>(2 * options.payload_bytes));
    socket_.set(zmq::sockopt::handshake_ivl, kHandshakeMs);
    socket_.set(zmq::sockopt::sndhwm, kSendQueue);
    socket_.set(zmq::sockopt::rcvhwm, kReceiveQueue);
    socket_.set(zmq::sockopt::backlog, kBacklog);
    socket_.set(zmq::sockopt::linger, kLingerMs);
    if (options.listening_fd >= 0) {
      socket_.set(zmq::sockopt::use_fd, options.listening_fd);
    } else {
      path_.RemoveOnRelease();
    }
    socket_.bind(options.endpoint);
    if (options.listening_fd < 0) chmod(path_.path().c_str(), options.mode);
  }

  int fd() const override { return socket_.get(zmq::sockopt::fd); }

  std::optional<Incoming> Receive() override {
    for (;;) {
      Incoming incoming;
      const Got got = ReceiveMessage(incoming);
      if (got == Got::kNothing) return std::nullopt;
      if (got == Got::kMessage) return incoming;
      ++dropped_;
    }
  }

  SendStatus Send(const Envelope& envelope, std::string_view payload) override {
    for (const std::string& frame : envelope) {
      const SendStatus status = SendFrame(frame, ZMQ_SNDMORE | ZMQ_DONTWAIT);
      if (status != SendStatus::kSent) return status;
    }
    return SendFrame(payload, ZMQ_DONTWAIT);
  }

  std::uint64_t dropped() const override { return dropped_; }

 private:
  enum class Got { kNothing, kMessage, kMisfit };

  // Takes one message off the socket, all of its frames whatever they are.
  Got ReceiveMessage(Incoming& incoming) {
    bool in_envelope = true;
    bool more = true;
    std::size_t payloads = 0;
    std::optional<Peer> peer;
    while (more) {
      zmq::message_t frame;
      if (zmq_msg_recv(frame.handle(), socket_.handle(), ZMQ_DONTWAIT) < 0) return Got::kNothing;
      more = frame.more();
      if (!peer) peer = PeerOf(frame);
      std::string text(static_cast<const char*>(frame.data()), frame.size());
      if (in_envelope) {
        in_envelope = !text.empty();
        incoming.envelope.push_back(std::move(text));
      } else {
        ++payloads;
        incoming.payload = std::move(text);
      }
    }
    if (in_envelope || payloads != 1 || !peer) return Got::kMisfit;
    incoming.peer = *peer;
    return Got::kMessage;
  }

  // Only the first frame of a message can fail: with ROUTER_MANDATORY the peer is chosen by it.
  SendStatus SendFrame(std::string_view frame, int flags) {
    if (zmq_send(socket_.handle(), frame.data(), frame.size(), flags) >= 0) {
      return SendStatus::kSent;
    }
    return zmq_errno() == EAGAIN ? SendStatus::kFull : SendStatus::kGone;
  }

  SocketPath path_;
  zmq::context_t context_;
  ZapHandler zap_;
  zmq::socket_t socket_;
  std::uint64_t dropped_ = 0;
};

}  // namespace

Result<std::unique_ptr<ServerSocket>> ServerSocket::Bind(const Options& options) {
  Result<SocketPath> path = SocketPath::Take(options.endpoint);
  if (!path) return tl::unexpected(path.error());
  SeedRoutingIds();
  try {
    return std::make_unique<RouterSocket>(options, std::move(*path));
  } catch (const zmq::error_t& error) {
    return Fail(ErrorType::kInternalError,
                "cannot listen on " + options.endpoint + ": " + error.what());
  }
}

}  // namespace requestrouter::ipc
