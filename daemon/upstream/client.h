#pragma once

#include <cstdint>
#include <memory>

#include "daemon/upstream/attempt.h"
#include "daemon/upstream/transfer_options.h"

namespace requestrouter::upstream {

// Runs attempts on a thread of its own, for who has no loop for them (see TransferLoop). Every
// method may be called from any thread and returns at once.
//
// An attempt is sent at most once, but for one case: a kept-alive connection that the provider was
// just closing. Where the provider's host never acknowledged the end of the request, it cannot have
// been read, and it goes out again over a new connection; otherwise the attempt is kInterrupted.
//
// HTTP/1.1 only, as the providers' own libraries do by default: a lost connection costs one answer
// instead of a hundred, and a paused answer holds up its provider at once, where curl buffers
// megabytes of a paused HTTP/2 stream.
class Client {
 public:
  // `listener` outlives the client. Throws std::system_error where the system gives no descriptors
  // or thread.
  explicit Client(Listener* listener, TransferOptions options = {});
  // Cancels what is in flight (reported as kCancelled) and joins the thread.
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // The id is not one of an attempt in flight.
  void Send(Attempt attempt);
  void Cancel(std::int64_t attempt_id);  // unknown ids are ignored
  // Stops and resumes reading a streamed answer, so that a slow caller slows the provider.
  void Pause(std::int64_t attempt_id);
  void Resume(std::int64_t attempt_id);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace requestrouter::upstream
