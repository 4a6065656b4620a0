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
// A connection that nobody wants for the moment stays in the set as it is, so that to use it again
// costs no call either. That needs to know when it is closed: curl says so of the sockets that it
// opens (Opened, Closed). It has others, which it closes in silence, and the system hands out their
// numbers again: those leave the set at once, and what epoll watches under their number is set
// anew. Confined to one thread, but for Wake().
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

  // Of a descriptor that is a socket from now on, until Closed().
  void Opened(int socket);
  void Closed(int socket);

  // `events` as of epoll; 0: none for the moment, or for ever.
  void Want(int socket, std::uint32_t events);

  // Wait() also ends when `descriptor` is readable; it is told of by guests(), not by Wait().
  void Invite(int descriptor);

  // Sleeps until something is ready, the instant comes or Wake() is called. The result is valid
  // until the next call.
  const std::vector<Ready>& Wait(Deadlines::Instant until);

  // The invited descriptors that the last Wait() found readable.
  const std::vector<int>& guests() const { return guests_; }

  // Ends a Wait(), the present one or the next. From any thread.
  void Wake();

 private:
  struct Entry {
    std::uint32_t wanted = 0;
    std::uint32_t watched = 0;
    bool certain = true;  // that epoll has `watched`
    bool open = false;    // between Opened and Closed
    bool touched = false;
    bool guest = false;
  };

  void Apply();
  Entry& At(int descriptor);
  void Set(int socket, Entry& entry);
  void Unwatch(int socket, Entry& entry);
  void DrainWakeUps();

  const int epoll_;
  const int wake_;
  std::vector<Entry> entries_;  // by descriptor
  std::vector<int> touched_;
  std::array<epoll_event, 256> events_{};
  std::vector<Ready> ready_;
  std::vector<int> guests_;
};

}  // namespace requestrouter::upstream
