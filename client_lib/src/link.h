#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "requestrouter/error.h"

// The socket to the daemon: a DEALER with PROTOCOL.md's envelope, and what libzmq's monitor tells
// of its connection (zmq_socket_monitor(3)). Background thread only, but for Wake.
namespace requestrouter::client {

enum class LinkEvent : std::uint8_t {
  kConnecting,    // accepted, not greeted yet
  kConnected,     // greeted: messages reach the daemon
  kDisconnected,  // what was sent and not answered may be lost
};

struct LinkInput {
  // In this order: the payloads belong to the connection as it was before the events.
  std::vector<std::string> payloads;
  std::vector<LinkEvent> events;
};

class Link {
 public:
  // Begins to connect; libzmq goes on trying until destruction. Fails with kInvalidRequest for an
  // endpoint that is none, and with kInternalError where descriptors ran out.
  static Result<std::unique_ptr<Link>> Open(const std::string& endpoint);

  virtual ~Link() = default;

  // Sleeps until something arrived, Wake was called, or `timeout` (none: for ever) passed.
  virtual LinkInput Wait(std::optional<std::chrono::milliseconds> timeout) = 0;

  // Never blocks. False: the connection is not there (any more); try again after a while.
  virtual bool Send(std::string_view payload) = 0;

  // Ends the current or the next Wait. Any thread.
  virtual void Wake() = 0;
};

}  // namespace requestrouter::client
