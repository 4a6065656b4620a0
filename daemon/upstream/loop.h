#pragma once

#include <curl/curl.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <unordered_map>
#include <vector>

#include "daemon/upstream/client.h"
#include "daemon/upstream/deadlines.h"
#include "daemon/upstream/easy_pool.h"
#include "daemon/upstream/socket_watch.h"
#include "daemon/upstream/transfer.h"

namespace requestrouter::upstream {

// All transfers, one curl multi handle and the loop that drives them. Thousands of slow calls in
// flight are the normal state: no turn costs anything for a transfer that has nothing to do.
//
// curl's own timer is kept as an instant here instead of a timerfd, and its wishes as to sockets go
// through SocketWatch. Confined to one thread, but for Wake().
class Loop {
 public:
  // `listener` outlives the loop. Throws std::system_error.
  Loop(Listener* listener, ClientOptions options);
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  void Send(Attempt attempt);
  void Cancel(std::int64_t id);
  void CancelAll();
  void Pause(std::int64_t id);
  void Resume(std::int64_t id);

  // Does what is due and then sleeps until there is more, or Wake().
  void Turn();

  // Ends the sleep, the present one or the next. From any thread.
  void Wake() { watch_.Wake(); }

 private:
  struct MultiDeleter {
    void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
  };

  static int OnSocket(CURL* easy, curl_socket_t socket, int what, void* self, void*) noexcept;
  static int OnTimer(CURLM*, long timeout_ms, void* self) noexcept;

  void Configure();
  Transfer* Find(std::int64_t id);
  void Own(curl_socket_t socket, CURL* easy);
  void Disown(curl_socket_t socket);
  void Act(curl_socket_t socket, int events);
  void RunCurlsTimer();
  void EndOverdue();
  void ReadResults();
  void Admit();
  void Start(Transfer& transfer);
  void End(Transfer& transfer, Outcome outcome);
  void Sleep();

  Listener* const listener_;
  const ClientOptions options_;
  EasyPool pool_;  // before what uses its handles
  SocketWatch watch_;
  Deadlines deadlines_;
  Deadlines::Instant curls_timer_ = Deadlines::kNever;
  std::vector<std::int64_t> owners_;  // by socket: the transfer it served last
  std::unordered_map<std::int64_t, std::unique_ptr<Transfer>> transfers_;
  std::deque<std::int64_t> waiting_;            // for admission; some may have ended meanwhile
  std::size_t started_ = 0;                     // transfers that are not waiting
  std::unique_ptr<CURLM, MultiDeleter> multi_;  // its end calls back
};

}  // namespace requestrouter::upstream
