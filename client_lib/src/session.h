#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "client_lib/src/link.h"
#include "client_lib/src/request_table.h"
#include "requestrouter/client.h"

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

  // Completes the request with kCancelled and tells the daemon. Any thread; never blocks.
  void Abandon(std::string id);

  // Completes every request with kClientClosed and ends the thread. Waits for that, except on the
  // background thread itself. Once.
  void Stop();

  bool OnBackgroundThread() const;

 private:
  struct Inbox {
    std::vector<PendingRequest> submitted;
    std::vector<std::string> abandoned;
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
  void Finish(const Error& error);

  // Constant after Start.
  const ClientOptions options_;
  std::thread thread_;
  std::unique_ptr<Link> link_;  // null where the endpoint cannot be used
  Error link_error_;

  // Guarded by mutex_.
  std::mutex mutex_;
  Inbox inbox_;
  bool closed_ = false;  // nothing reads the inbox any more

  // Background thread only.
  RequestTable table_;
  bool retry_send_ = false;  // the connection took less than was offered
};

}  // namespace requestrouter::client
