#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "client_lib/src/link.h"
#include "client_lib/src/request_table.h"
#include "requestrouter/client.h"
#include "threads/mutex.h"

// One background thread with one socket, and the requests of all callers on it.
namespace requestrouter::client {

class Session {
 public:
  // Starts the thread. `options.endpoint` is resolved already. An endpoint that cannot be used
  // fails every request.
  static std::shared_ptr<Session> Start(const ClientOptions& options);

  // Any thread. The observer is told the outcome on the background thread, or on this one where the
  // session was stopped.
  void Submit(PendingRequest request);

  // Completes the request with kCancelled at once and tells the daemon. Any thread; never blocks.
  void Abandon(std::string id);

  // Asks the daemon to cancel the request, which then ends as the daemon says. Any thread; never
  // blocks.
  void Cancel(std::string id);

  // Completes every request with kClientClosed and ends the thread. Waits for that, except on the
  // background thread itself. Once.
  void Stop();

  bool OnBackgroundThread() const;

  // It could not start or go on for want of descriptors, threads or memory, and fails every
  // request; another session may do better.
  bool broken() const { return broken_.load(std::memory_order_acquire); }

 private:
  struct Inbox {
    std::vector<PendingRequest> submitted;
    std::vector<std::string> abandoned;
    std::vector<std::string> cancelled;
    bool stop = false;
  };

  explicit Session(const ClientOptions& options);

  void Run();
  void ServeUntilStopped();
  // False: stop.
  bool ReadInbox();
  void Sleep();
  void Apply(LinkEvent event, TimePoint now);
  void SendAll(TimePoint now);
  void SendCancel(const std::string& id);
  void StartThread(const std::shared_ptr<Session>& self);
  void Finish(const Error& error);

  // Constant after Start.
  const ClientOptions options_;
  std::thread thread_;
  std::unique_ptr<Link> link_;  // null where the endpoint cannot be used
  Error link_error_;

  std::atomic<bool> broken_{false};

  threads::Mutex mutex_;
  Inbox inbox_ RR_GUARDED_BY(mutex_);
  bool closed_ RR_GUARDED_BY(mutex_) = false;  // nothing reads the inbox any more

  // Background thread only.
  RequestTable table_;
  bool retry_send_ = false;  // the connection took less than was offered
};

}  // namespace requestrouter::client
