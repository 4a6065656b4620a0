#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "ipc/socket.h"

namespace requestrouter::router {

// Sends replies, and keeps those that a slow peer has no room for yet. What is kept is bounded for
// each peer (a connection, whatever return paths it names) and in total; who lets more pile up is
// given up: what waited for it is dropped, and what comes later is tried again. Router thread only.
class Outbox {
 public:
  // Above this much unsent data of one peer, its streams pause; above kPeerLimit it is given up.
  static constexpr std::size_t kPauseBytes = 256u << 10;
  static constexpr std::size_t kPeerLimit = 64u << 20;
  // Above this much of all peers, the one that most waits for is given up.
  static constexpr std::size_t kTotalLimit = 256u << 20;

  enum class Delivery : std::uint8_t {
    kSent,
    kQueued,  // waits for the peer to read
    kSlow,    // likewise, and the peer is over kPauseBytes: slow down
    kGone,    // the peer left, or was given up
  };

  // `socket` outlives the outbox.
  explicit Outbox(ipc::ServerSocket& socket) : socket_(socket) {}

  // `told` of each peer that is given up: how many replies were dropped, and their bytes.
  void OnGivenUp(std::function<void(std::size_t replies, std::size_t bytes)> told) {
    given_up_told_ = std::move(told);
  }

  Delivery Send(const ipc::Envelope& to, std::string payload);

  // To be sent by SendPosted, for replies that go out in numbers: libzmq's thread is woken for the
  // first of several that are sent in a row, not for each.
  void Post(const ipc::Envelope& to, std::string payload) {
    posted_.emplace_back(to, std::move(payload));
  }
  void SendPosted();

  // Tries the waiting replies again. Calls `drained` once where a peer has nothing waiting now.
  void Flush(const std::function<void()>& drained);

  bool empty() const { return waiting_.empty() && posted_.empty(); }
  bool IsSlow(const ipc::Envelope& to) const;

  std::size_t waiting_bytes() const { return bytes_; }
  std::uint64_t dropped() const { return dropped_; }  // replies, for peers that were given up

 private:
  struct Waiting {
    ipc::Envelope to;
    std::string payload;
    std::size_t bytes() const;
  };
  struct Backlog {
    std::deque<Waiting> replies;
    std::size_t bytes = 0;
  };
  using Peers = std::unordered_map<std::string, Backlog>;  // by the envelope's first frame

  Delivery Keep(Peers::iterator peer, Waiting reply);
  void GiveUp(Peers::iterator peer);
  Peers::iterator Fullest();

  ipc::ServerSocket& socket_;
  std::function<void(std::size_t, std::size_t)> given_up_told_ = [](std::size_t, std::size_t) {};
  Peers waiting_;
  std::size_t bytes_ = 0;  // of all backlogs
  std::uint64_t dropped_ = 0;
  std::vector<std::pair<ipc::Envelope, std::string>> posted_;
};

}  // namespace requestrouter::router
