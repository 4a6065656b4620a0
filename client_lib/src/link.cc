#include "client_lib/src/link.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>
#include <zmq.hpp>

#include "client_lib/src/errors.h"
#include "client_lib/src/event_fd.h"

namespace requestrouter::client {
namespace {

constexpr int kReconnectMs = 50;
constexpr int kReconnectMaxMs = 500;
constexpr int kMonitoredEvents =
    ZMQ_EVENT_CONNECTED | ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_DISCONNECTED;
constexpr const char* kMonitorAddress = "inproc://monitor";

std::optional<LinkEvent> EventOf(std::uint16_t event) {
  switch (event) {
    case ZMQ_EVENT_CONNECTED:
      return LinkEvent::kConnecting;
    case ZMQ_EVENT_HANDSHAKE_SUCCEEDED:
      return LinkEvent::kConnected;
    case ZMQ_EVENT_DISCONNECTED:
      return LinkEvent::kDisconnected;
    default:
      return std::nullopt;
  }
}

class ZmqLink final : public Link {
 public:
  explicit ZmqLink(const std::string& endpoint)
      : dealer_(context_, zmq::socket_type::dealer), monitor_(context_, zmq::socket_type::pair) {
    if (!wake_.valid()) throw zmq::error_t();
    dealer_.set(zmq::sockopt::linger, 0);
    monitor_.set(zmq::sockopt::linger, 0);
    // Only a greeted connection gets a pipe: what a lost one held is dropped with it instead of
    // being delivered again next to what the request table sends again.
    dealer_.set(zmq::sockopt::immediate, true);
    // The callers' own memory bounds what is in flight; a limit here would lose replies.
    dealer_.set(zmq::sockopt::sndhwm, 0);
    dealer_.set(zmq::sockopt::rcvhwm, 0);
    dealer_.set(zmq::sockopt::reconnect_ivl, kReconnectMs);
    dealer_.set(zmq::sockopt::reconnect_ivl_max, kReconnectMaxMs);
    if (zmq_socket_monitor(dealer_.handle(), kMonitorAddress, kMonitoredEvents) != 0) {
      throw zmq::error_t();
    }
    monitor_.connect(kMonitorAddress);
    dealer_.connect(endpoint);
  }
  // Events that nobody has read would be lost memory (seen with libzmq 4.3.4).
  ~ZmqLink() override {
    zmq_socket_monitor(dealer_.handle(), nullptr, 0);
    try {
      while (NextEvent()) {
      }
    } catch (const zmq::error_t&) {
      // There are none any more.
    }
  }
  ZmqLink(const ZmqLink&) = delete;
  ZmqLink& operator=(const ZmqLink&) = delete;

  LinkInput Wait(std::optional<std::chrono::milliseconds> timeout) override {
    std::array<zmq::pollitem_t, 3> items = {{{dealer_.handle(), 0, ZMQ_POLLIN, 0},
                                             {monitor_.handle(), 0, ZMQ_POLLIN, 0},
                                             {nullptr, wake_.get(), ZMQ_POLLIN, 0}}};
    PollFor(items, timeout);
    wake_.Drain();
    LinkInput input;
    // The events first: a reply that comes between the two reads is then seen before the loss of
    // its connection, never after it.
    while (auto event = NextEvent()) {
      if (const auto known = EventOf(*event)) input.events.push_back(*known);
    }
    while (auto payload = NextPayload()) input.payloads.push_back(std::move(*payload));
    return input;
  }

  bool Send(std::string_view payload) override {
    // libzmq looks for a new pipe at most once a millisecond on the sending path; asking for the
    // events makes it look now (zmq_getsockopt(3), ZMQ_EVENTS).
    if ((dealer_.get(zmq::sockopt::events) & ZMQ_POLLOUT) == 0) return false;
    const auto more = zmq::send_flags::dontwait | zmq::send_flags::sndmore;
    if (!dealer_.send(zmq::message_t(), more)) return false;
    return dealer_.send(zmq::buffer(payload), zmq::send_flags::dontwait).has_value();
  }

  void Wake() override { wake_.Signal(); }

 private:
  static void PollFor(std::array<zmq::pollitem_t, 3>& items,
                      std::optional<std::chrono::milliseconds> timeout) {
    const auto wait =
        timeout ? std::max(*timeout, std::chrono::milliseconds(0)) : std::chrono::milliseconds(-1);
    try {
      zmq::poll(items.data(), items.size(), wait);
    } catch (const zmq::error_t& error) {
      if (error.num() != EINTR) throw;
    }
  }

  // The payload is the last frame of a message; the delimiter before it carries nothing.
  std::optional<std::string> NextPayload() {
    zmq::message_t frame;
    if (!dealer_.recv(frame, zmq::recv_flags::dontwait)) return std::nullopt;
    while (frame.more()) {
      if (!dealer_.recv(frame, zmq::recv_flags::none)) return std::nullopt;
    }
    return frame.to_string();
  }

  std::optional<std::uint16_t> NextEvent() {
    zmq::message_t event;
    zmq::message_t address;
    if (!monitor_.recv(event, zmq::recv_flags::dontwait)) return std::nullopt;
    if (event.more() && !monitor_.recv(address)) return std::nullopt;
    std::uint16_t number = 0;
    if (event.size() >= sizeof number) std::memcpy(&number, event.data(), sizeof number);
    return number;
  }

  zmq::context_t context_{1};
  zmq::socket_t dealer_;
  zmq::socket_t monitor_;
  EventFd wake_;
};

Error OpenError(const std::string& endpoint, const zmq::error_t& error) {
  const bool no_descriptors = error.num() == EMFILE || error.num() == ENFILE;
  return MakeError(no_descriptors ? ErrorType::kInternalError : ErrorType::kInvalidRequest,
                   "cannot use the endpoint \"" + endpoint + "\": " + error.what() +
                       (no_descriptors ? "" : "; it has the form ipc:///path/to/router.sock"));
}

}  // namespace

Result<std::unique_ptr<Link>> Link::Open(const std::string& endpoint) {
  try {
    return Result<std::unique_ptr<Link>>(std::make_unique<ZmqLink>(endpoint));
  } catch (const zmq::error_t& error) {
    return OpenError(endpoint, error);
  }
}

}  // namespace requestrouter::client
