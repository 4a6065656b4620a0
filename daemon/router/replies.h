#pragma once

#include <string>

#include "daemon/router/live_request.h"
#include "daemon/router/outbox.h"
#include "ipc/error.h"

namespace requestrouter::router {

// What the callers of a request are told: deltas and progress as they come, the final message
// once. Router thread only.
class Replies {
 public:
  explicit Replies(Outbox& outbox) : outbox_(outbox) {}

  // To one peer, outside of any live request.
  void Send(const ipc::Envelope& to, std::string payload);

  // To everyone who waits for `request`. Those who left are forgotten.
  void Delta(LiveRequest& request, const ipc::ChatDelta& delta);
  void Progress(LiveRequest& request, const ipc::ChatProgress& progress);
  void Final(LiveRequest& request, std::string payload);

  // A later sender of the same request: gets the deltas so far, and what is to come.
  void Join(LiveRequest& request, const ipc::Envelope& to, pid_t pid);

  // Whether anyone who waits for `request` reads too slowly.
  bool IsSlow(const LiveRequest& request) const;

 private:
  Outbox& outbox_;
};

// A stored or kept final reply as it is sent again: marked `replayed`.
std::string AsReplayed(const std::string& payload);

}  // namespace requestrouter::router
