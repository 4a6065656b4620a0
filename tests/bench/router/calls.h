#pragma once

#include <curl/curl.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace requestrouter::bench {

// POSTs with libcurl, as cheap as it gets: easy handles and connections are used again, curl's
// timers are instants in user space, and epoll learns of a socket once, when it is new. What one
// multi handle does for a request grows with its connections (it looks through all of them for an
// idle one), so there are as many handles as it takes for each to have few. Shared by the bare loop
// and by the client that calls the provider directly. Confined to one thread.
class Calls {
 public:
  struct Answer {
    std::uint64_t tag = 0;
    long status = 0;  // 0: no answer, see `error`
    std::string body;
    std::string error;
  };

  // The key is that of the variable BENCH_API_KEY, so that it is on no command line. Throws
  // std::runtime_error.
  explicit Calls(std::string url);
  ~Calls();
  Calls(const Calls&) = delete;
  Calls& operator=(const Calls&) = delete;

  // Ends the sleep of Turn() when `fd` is readable; reading it is the caller's.
  void Watch(int fd);

  void Start(std::uint64_t tag, std::string body);

  // Moves all calls on, sleeping for at most `patience` where none can be (negative: for ever).
  void Turn(std::chrono::nanoseconds patience);

  // The next call that has ended; false: none.
  bool Next(Answer* answer);

 private:
  using Clock = std::chrono::steady_clock;
  struct Call;

  // One multi handle, and what it wants.
  struct Multi {
    Calls* calls = nullptr;
    CURLM* handle = nullptr;
    int added = 0;    // calls that Next() has not reported
    int running = 0;  // and of these, as of the last action, those that have not ended
    Clock::time_point timer = Clock::time_point::max();
  };

  static std::size_t OnBody(char* data, std::size_t size, std::size_t count, void* call) noexcept;
  static int OnSocket(CURL*, curl_socket_t socket, int what, void* multi, void*) noexcept;
  static int OnTimer(CURLM*, long timeout_ms, void* multi) noexcept;
  static int OnClose(void* self, curl_socket_t socket) noexcept;

  std::unique_ptr<Call> NewCall();
  Multi* NewMulti();
  Multi* WithRoom();
  void Want(Multi* multi, int socket, std::uint32_t events);
  static void Act(Multi* multi, curl_socket_t socket, int events);
  void RunTimers();
  std::chrono::nanoseconds UntilNext(std::chrono::nanoseconds patience) const;

  const std::string url_;
  curl_slist* headers_ = nullptr;
  int epoll_ = -1;
  std::vector<std::unique_ptr<Multi>> multis_;
  std::vector<std::unique_ptr<Call>> idle_;
  struct Socket {
    Multi* multi = nullptr;
    std::uint32_t wanted = 0;
    std::uint32_t watched = 0;
  };
  std::vector<Socket> sockets_;  // by descriptor
};

}  // namespace requestrouter::bench
