#pragma once

#include <curl/curl.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <unordered_map>
#include <vector>

#include "daemon/upstream/deadlines.h"
#include "daemon/upstream/easy_pool.h"
#include "daemon/upstream/parsed_urls.h"
#include "daemon/upstream/socket_watch.h"
#include "daemon/upstream/transfer.h"
#include "daemon/upstream/transfer_options.h"

namespace requestrouter::upstream {

// All transfers, curl's multi handles and the loop that drives them. Thousands of slow calls in
// flight are the normal state: no turn costs anything for a transfer that has nothing to do.
//
// curl looks through all connections of a multi handle for every request, so each of them has few
// (see Multi). Its timers are kept as instants instead of timerfds, and its wishes as to sockets go
// through SocketWatch. Confined to one thread, but for Wake().
class TransferLoop {
 public:
  // `listener` outlives the loop. Throws std::system_error.
  TransferLoop(Listener* listener, TransferOptions options);
  ~TransferLoop();
  TransferLoop(const TransferLoop&) = delete;
  TransferLoop& operator=(const TransferLoop&) = delete;

  void Send(Attempt attempt);
  void Cancel(std::int64_t id);
  void CancelAll();
  void Pause(std::int64_t id);
  void Resume(std::int64_t id);

  // Sends what waits, sleeps until there is more to do, `until` or Wake(), and does it.
  void Turn(Deadlines::Instant until = Deadlines::kNever);

  // For an owner who has other business on this thread: the sleep also ends when `descriptor`,
  // which outlives the loop, is readable. Turn() leaves in guests() which were.
  void Invite(int descriptor) { watch_.Invite(descriptor); }
  const std::vector<int>& guests() const { return watch_.guests(); }

  // Ends the sleep, the present one or the next. From any thread.
  void Wake() { watch_.Wake(); }

 private:
  // A curl multi handle with its own connections.
  struct Multi {
    struct Deleter {
      void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
    };
    TransferLoop* loop;
    std::unique_ptr<CURLM, Deleter> handle;  // its end calls back
    Deadlines::Instant timer = Deadlines::kNever;
    std::size_t transfers = 0;
    Deadlines::Instant used_at{};  // when its last transfer ended
    bool may_have_results = false;
  };
  struct Place {
    std::unique_ptr<Transfer> transfer;
    Multi* multi = nullptr;  // null while waiting
  };
  struct Owner {
    Multi* multi = nullptr;
    std::int64_t transfer = 0;  // that it served last
  };

  static int OnSocket(CURL* easy, curl_socket_t socket, int what, void* multi, void*) noexcept;
  static int OnTimer(CURLM*, long timeout_ms, void* multi) noexcept;
  static curl_socket_t OnOpen(void* self, curlsocktype, curl_sockaddr* address) noexcept;
  static int OnClose(void* self, curl_socket_t socket) noexcept;

  EasyHandle NewEasy();

  Multi& WithRoom();
  void DropUnused();
  Transfer* Find(std::int64_t id);
  void Own(curl_socket_t socket, Multi* multi, CURL* easy);
  void Disown(curl_socket_t socket);
  void Act(Multi& multi, curl_socket_t socket, int events);
  void RunTimers();
  Deadlines::Instant NextTimer() const;
  void EndOverdue();
  bool ReadResults();
  void Admit();
  void Start(Place& place);
  void End(Transfer& transfer, Outcome outcome);
  void Sleep(Deadlines::Instant until);

  Listener* const listener_;
  const TransferOptions options_;
  EasyPool pool_{[this] { return NewEasy(); }};  // before what uses its handles
  ParsedUrls urls_;
  SocketWatch watch_;
  Deadlines deadlines_;
  std::vector<Owner> owners_;  // by socket
  std::unordered_map<std::int64_t, Place> transfers_;
  std::deque<std::int64_t> waiting_;  // for admission; some may have ended meanwhile
  std::size_t started_ = 0;           // transfers that are not waiting
  std::vector<std::unique_ptr<Multi>> multis_;
};

}  // namespace requestrouter::upstream
