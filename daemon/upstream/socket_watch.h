#pragma once

#include <sys/epoll.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <vector>

#include "daemon/upstream/deadlines.h"

namespace requestrouter::upstream {

// An epoll set whose changes are applied once a turn, in Wait(): most of what curl asks for within
// a turn cancels itself out, and a system call for each callback doubled the cost of a request.
//
// curl closes descriptors between the changes, and the system hands out their numbers again, so
// what epoll watches under a number that was let go is not known: it is set anew then.
// Confined to one thread, but for Wake().
class SocketWatch {
 public:
  struct Ready {
    int socket;
    std::uint32_t events;  // EPOLLIN, …
  };

  // Throws std::system_error.
  SocketWatch();
  ~SocketWatch();
  SocketWatch(const SocketWatch&) = delete;
  SocketWatch& operator=(const SocketWatch&) = delete;

  // `events` as of epoll; 0: let it go.
  void Want(int socket, std::uint32_t events);

  // Sleeps until something is ready, the instant comes or Wake() is called. The result is valid
  // until the next call.
  const std::vector<Ready>& Wait(Deadlines::Instant until);

  // Ends a Wait(), the present one or the next. From any thread.
  void Wake();

 private:
  struct Entry {
    std::uint32_t wanted = 0;
    std::uint32_t watched = 0;
    bool certain = true;  // that epoll has `watched`
    bool touched = false;
  };

  void Apply();
  void Set(int socket, Entry& entry);
  void DrainWakeUps();

  const int epoll_;
  const int wake_;
  std::vector<Entry> entries_;  // by descriptor
  std::vector<int> touched_;
  std::array<epoll_event, 256> events_{};
  std::vector<Ready> ready_;
};

}  // namespace requestrouter::upstream
