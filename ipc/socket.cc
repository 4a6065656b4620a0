#include "ipc/socket.h"

#include <sys/random.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdlib>
#include <utility>

#include <zmq.hpp>

#include "ipc/peer.h"
#include "ipc/socket_path.h"
#include "ipc/zap.h"
#include "threads/scheduling.h"

namespace requestrouter::ipc {
namespace {

// Handshakes that do not finish hold a descriptor each, and libzmq ends the process without any.
constexpr int kHandshakeMs = 2'000;

// Messages that wait in libzmq for one peer; beyond them Send says kFull, and the sender, who knows
// how large they are, keeps the others. Few, because each may be a long conversation; fd() becomes
// readable when half of them are gone, so that a burst of streamed pieces flows on.
constexpr int kSendQueue = 100;
// Messages of one peer that wait to be received; beyond them the peer waits. Each may be large.
constexpr int kReceiveQueue = 100;
constexpr int kBacklog = 1'024;

// What is still unsent at the end is given this long.
constexpr int kLingerMs = 500;

// The return path is kept for as long as its request lives, so it is bounded: a frame each for the
// peer, a proxy, a request number and the delimiter are usual.
constexpr std::size_t kEnvelopeFrames = 64;
constexpr std::size_t kEnvelopeBytes = 16'384;

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

// Keeps the socket file from being wider than `mode` between bind() and chmod(). Never makes what
// another thread creates meanwhile wider than it would have been.
class NarrowUmask {
 public:
  explicit NarrowUmask(mode_t mode) : before_(umask(0777)) { umask(before_ | (0777 & ~mode)); }
  ~NarrowUmask() { umask(before_); }
  NarrowUmask(const NarrowUmask&) = delete;
  NarrowUmask& operator=(const NarrowUmask&) = delete;

 private:
  const mode_t before_;
};

// After a poll the routing id's frame lacks the property, so every frame is asked.
std::optional<Peer> PeerOf(zmq::message_t& frame) {
  const char* address = zmq_msg_gets(frame.handle(), "Peer-Address");
  return address ? ParsePeerAddress(address) : std::nullopt;
}

// Puts the frames of one message into their places as they come.
class Assembler {
 public:
  void Add(zmq::message_t& frame) {
    if (!peer_) peer_ = PeerOf(frame);
    const std::string_view bytes = frame.to_string_view();
    if (in_envelope_) {
      AddToEnvelope(bytes);
    } else if (++payloads_ == 1) {
      message_.payload = bytes;
    }
  }

  // nullopt: it does not fit.
  std::optional<Incoming> Take() && {
    if (in_envelope_ || payloads_ != 1 || !peer_ || !fits_) return std::nullopt;
    message_.peer = *peer_;
    return std::move(message_);
  }

 private:
  void AddToEnvelope(std::string_view bytes) {
    in_envelope_ = !bytes.empty();
    envelope_bytes_ += bytes.size();
    fits_ =
        fits_ && envelope_bytes_ <= kEnvelopeBytes && message_.envelope.size() < kEnvelopeFrames;
    if (fits_) message_.envelope.emplace_back(bytes);
  }

  Incoming message_;
  std::optional<Peer> peer_;
  std::size_t envelope_bytes_ = 0;
  std::size_t payloads_ = 0;
  bool in_envelope_ = true;
  bool fits_ = true;
};

class RouterSocket final : public ServerSocket {
 public:
  explicit RouterSocket(SocketPath path)
      : path_(std::move(path)), zap_(context_), socket_(context_, ZMQ_ROUTER) {}

  // Throws what libzmq refuses.
  Result<void> Listen(const Options& options) {
    Configure(options.payload_bytes);
    if (options.listening_fd >= 0) {
      socket_.set(zmq::sockopt::use_fd, options.listening_fd);
      socket_.bind(options.endpoint);
      return {};
    }
    if (auto clear = path_.Clear(); !clear) return clear;
    const NarrowUmask narrow(options.mode);
    socket_.bind(options.endpoint);
    return path_.Protect(options.mode);
  }

  int fd() const override { return socket_.get(zmq::sockopt::fd); }

  bool settled() const override { return settled_; }

  std::optional<Incoming> Receive() override {
    settled_ = false;
    zmq::message_t frame;
    while (ReceiveFrame(frame)) {
      Assembler assembler;
      assembler.Add(frame);
      while (frame.more() && ReceiveFrame(frame)) assembler.Add(frame);
      std::optional<Incoming> message = std::move(assembler).Take();
      if (message) return message;
      ++dropped_;
    }
    settled_ = true;
    return std::nullopt;
  }

  // Only the first frame of a message can fail: it chooses the peer, and libzmq takes the others of
  // a message that it has begun.
  SendStatus Send(const Envelope& envelope, std::string_view payload) override {
    settled_ = false;
    for (const std::string& frame : envelope) {
      const SendStatus status = SendFrame(frame, ZMQ_SNDMORE | ZMQ_DONTWAIT);
      if (status != SendStatus::kSent) return status;
    }
    return SendFrame(payload, ZMQ_DONTWAIT);
  }

  std::uint64_t dropped() const override { return dropped_; }

 private:
  // Its threads are made with the first socket.
  static zmq::context_t NewContext() {
    zmq::context_t context;
    context.set(zmq::ctxopt::thread_sched_policy, threads::kServingPolicy);
    return context;
  }

  void Configure(std::size_t payload_bytes) {
    socket_.set(zmq::sockopt::zap_domain, "requestrouter");
    socket_.set(zmq::sockopt::router_mandatory, true);
    socket_.set(zmq::sockopt::maxmsgsize, static_cast<std::int64_t>(2 * payload_bytes));
    socket_.set(zmq::sockopt::handshake_ivl, kHandshakeMs);
    socket_.set(zmq::sockopt::sndhwm, kSendQueue);
    socket_.set(zmq::sockopt::rcvhwm, kReceiveQueue);
    socket_.set(zmq::sockopt::backlog, kBacklog);
    socket_.set(zmq::sockopt::linger, kLingerMs);
  }

  // False: nothing is there. A message arrives whole, so there is always a frame after `more`.
  bool ReceiveFrame(zmq::message_t& frame) {
    int received = -1;
    do {
      received = zmq_msg_recv(frame.handle(), socket_.handle(), ZMQ_DONTWAIT);
    } while (received < 0 && zmq_errno() == EINTR);
    return received >= 0;
  }

  SendStatus SendFrame(std::string_view frame, int flags) {
    int sent = -1;
    do {
      sent = zmq_send(socket_.handle(), frame.data(), frame.size(), flags);
    } while (sent < 0 && zmq_errno() == EINTR);
    if (sent >= 0) return SendStatus::kSent;
    return zmq_errno() == EAGAIN ? SendStatus::kFull : SendStatus::kGone;
  }

  // In the order of construction: the path outlives the socket that listens there.
  SocketPath path_;
  zmq::context_t context_ = NewContext();
  ZapHandler zap_;
  zmq::socket_t socket_;
  std::uint64_t dropped_ = 0;
  bool settled_ = false;
};

}  // namespace

Result<std::unique_ptr<ServerSocket>> ServerSocket::Bind(const Options& options) {
  Result<SocketPath> path = SocketPath::Take(options.endpoint);
  if (!path) return tl::unexpected(std::move(path.error()));
  SeedRoutingIds();
  try {
    auto socket = std::make_unique<RouterSocket>(std::move(*path));
    if (auto listening = socket->Listen(options); !listening) {
      return tl::unexpected(std::move(listening.error()));
    }
    return socket;
  } catch (const zmq::error_t& error) {
    return Fail(ErrorType::kInternalError,
                "cannot listen on " + options.endpoint + ": " + error.what());
  }
}

}  // namespace requestrouter::ipc
