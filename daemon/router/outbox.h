#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

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

  // To be sent by SendPosted, for replies that go out in numbers: libzmq's thread is woken for the
  // first of several that are sent in a row, not for each.
  void Post(const ipc::Envelope& to, std::string payload) {
    posted_.emplace_back(to, std::move(payload));
  }
  void SendPosted();

  // Tries the waiting replies again. Calls `drained` for each peer that has nothing waiting now.
  void Flush(const std::function<void(const ipc::Envelope&)>& drained);

  bool empty() const { return waiting_.empty() && posted_.empty(); }
  bool IsSlow(const ipc::Envelope& to) const;

 private:
  struct Backlog {
    std::deque<std::string> payloads;
    std::size_t bytes = 0;
  };
  ipc::ServerSocket& socket_;
  std::map<ipc::Envelope, Backlog> waiting_;
  std::vector<std::pair<ipc::Envelope, std::string>> posted_;
};

}  // namespace requestrouter::router
