#pragma once

#include <curl/curl.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace requestrouter::bench {

// POSTs with libcurl, as cheap as it gets: easy handles and connections are used again, curl's
// timer is an instant in user space, and epoll learns of a socket once, when it is new. Shared by
// the bare loop and by the client that calls the provider directly. Confined to one thread.
class Calls {
 public:
  struct Answer {
    std::uint64_t tag = 0;
    long status = 0;  // 0: no answer, see `error`
    std::string body;
    std::string error;
  };

  // `headers` go with every call. Throws std::runtime_error.
  Calls(std::string url, const std::vector<std::string>& headers);
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

  static std::size_t OnBody(char* data, std::size_t size, std::size_t count, void* call) noexcept;
  static int OnSocket(CURL*, curl_socket_t socket, int what, void* self, void*) noexcept;
  static int OnTimer(CURLM*, long timeout_ms, void* self) noexcept;
  static int OnClose(void* self, curl_socket_t socket) noexcept;

  std::unique_ptr<Call> NewCall();
  void Want(int socket, std::uint32_t events);
  void Act(curl_socket_t socket, int events);
  void RunCurlsTimer();

  const std::string url_;
  curl_slist* headers_ = nullptr;
  CURLM* multi_ = nullptr;
  int epoll_ = -1;
  int added_ = 0;    // calls that Next() has not reported
  int running_ = 0;  // and of these, as of the last action, those that have not ended
  Clock::time_point timer_ = Clock::time_point::max();
  std::vector<std::unique_ptr<Call>> idle_;
  struct Socket {
    std::uint32_t wanted = 0;
    std::uint32_t watched = 0;
  };
  std::vector<Socket> sockets_;  // by descriptor
};

}  // namespace requestrouter::bench
