#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>

#include "ipc/socket.h"

namespace requestrouter::router {

// Sends replies, and keeps those that a slow peer has no room for yet. Router thread only.
class Outbox {
 public:
  // Above this much unsent data of one peer, its streams pause; above kPeerLimit it is given up.
  static constexpr std::size_t kPauseBytes = 256u << 10;
  static constexpr std::size_t kPeerLimit = 64u << 20;

  enum class Delivery : std::uint8_t {
    kSent,
    kQueued,  // waits for the peer to read
    kSlow,    // likewise, and the peer is over kPauseBytes: slow down
    kGone,    // the peer left, or was given up
  };

  // `socket` outlives the outbox.
  explicit Outbox(ipc::ServerSocket& socket) : socket_(socket) {}

  Delivery Send(const ipc::Envelope& to, std::string payload);

  // Tries the waiting replies again. Calls `drained` for each peer that has nothing waiting now.
  void Flush(const std::function<void(const ipc::Envelope&)>& drained);

  bool empty() const { return waiting_.empty(); }
  bool IsSlow(const ipc::Envelope& to) const;

 private:
  struct Backlog {
    std::deque<std::string> payloads;
    std::size_t bytes = 0;
  };
  ipc::ServerSocket& socket_;
  std::map<ipc::Envelope, Backlog> waiting_;
};

}  // namespace requestrouter::router
