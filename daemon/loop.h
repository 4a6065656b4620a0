#pragma once

#include <functional>

#include "daemon/ops/operations.h"
#include "daemon/router/caller_watch.h"
#include "daemon/router/chat_service.h"
#include "daemon/router/mailbox.h"
#include "daemon/router/outbox.h"
#include "daemon/upstream_runner.h"
#include "ipc/codec.h"
#include "ipc/socket.h"
#include "threads/role.h"

namespace requestrouter {

// The router thread's loop: requests from the socket, providers' answers, reports from the mailbox,
// signals and time.
// Sleeps until the next thing is due; nothing is polled for.
//
// Stopping: the first SIGTERM or SIGINT drains (new requests are refused, those under way go on to
// the drain deadline), a second one ends them at once with `shutting_down`. Clients that do not
// read their last replies are not waited for. SIGHUP reloads.
class Loop {
 public:
  // Everything that is used outlives the loop.
  struct Parts {
    const router::Clock& clock;
    router::Mailbox& mailbox;
    UpstreamRunner& upstream;
    ipc::ServerSocket& socket;
    router::Outbox& outbox;
    router::ChatService& chats;
    ops::Operations& operations;
    ipc::Limits limits;
    policy::Duration drain;
    std::function<void(ipc::ErrorType)> on_malformed;  // a message that is no request
    std::function<void(uid_t, pid_t)> on_reload;       // SIGHUP, and from whom
    std::function<void()> on_stopping;                 // the first SIGTERM
    std::function<void()> on_turn;                     // once a turn: the watchdog, maintenance
    policy::Duration longest_sleep;                    // so that on_turn comes often enough
  };

  // Blocks SIGTERM, SIGINT and SIGHUP in the calling thread: construct before other threads start.
  static int OpenSignals();

  Loop(Parts parts, int signal_fd);
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // Returns when stopped.
  void Run();

 private:
  enum class Stopping : std::uint8_t { kNo, kDraining, kAborting };

  void ReceiveSome() RR_REQUIRES(threads::kRouterThread);
  void Handle(const ipc::Incoming& incoming) RR_REQUIRES(threads::kRouterThread);
  void ReadSignals() RR_REQUIRES(threads::kRouterThread);
  void StopSignal() RR_REQUIRES(threads::kRouterThread);
  bool IsDone() RR_REQUIRES(threads::kRouterThread);
  void Sleep() RR_REQUIRES(threads::kRouterThread);
  void Serve(int descriptor) RR_REQUIRES(threads::kRouterThread);
  policy::Instant NextDeadline() const RR_REQUIRES(threads::kRouterThread);

  Parts parts_;
  router::CallerWatch callers_;
  const int signal_fd_;
  bool arrivals_ = true;  // the socket says that there may be some
  Stopping stopping_ = Stopping::kNo;
  policy::Instant drain_until_{};
};

}  // namespace requestrouter
