#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "client_lib/src/session.h"
#include "ipc/chat.h"
#include "requestrouter/client.h"

namespace requestrouter::client {

// Makes a request's payload for the deadline that is left, in milliseconds.
using Encoder = std::function<std::string(std::int64_t deadline_ms)>;

Encoder ChatEncoder(const std::string& request_id, ipc::ChatRequest request);
Encoder BodyEncoder(const std::string& request_id, const std::string& op, ipc::Value body);

// The options with a new request id where they have none.
CallOptions WithId(CallOptions options);

// Given an event's body, an Error to stop the request with.
using EventSink = std::function<std::optional<Error>(const ipc::Value& body)>;

// The session of this process, begun by the first call. After a fork the child finds that it is
// another process and begins its own; the parent's copy is left alone and not freed, because
// neither libzmq's context nor locks that another thread held can be used there (zmq_ctx_new(3)).
// Any thread.
class Connection {
 public:
  explicit Connection(ClientOptions options);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Validates the options and hands the request to the session, which is returned (null where the
  // options were refused). `options.request_id` is set. `cancels` as in PendingRequest.
  std::shared_ptr<Session> Submit(Encoder encode, const CallOptions& options,
                                  std::shared_ptr<Observer> observer,
                                  const std::string& cancels = {});

  // Waits for the outcome; `on_event` (may be empty) gets what comes before it, on this thread.
  Result<ipc::Value> Ask(Encoder encode, const CallOptions& options, const EventSink& on_event,
                         const std::string& cancels = {});

  // As Ask, for an operation by name; makes a request id where there is none.
  Result<ipc::Value> AskBody(const std::string& op, ipc::Value body, const CallOptions& options,
                             const EventSink& on_event = {});

  Result<ipc::Value> Cancel(const std::string& request_id, const CallOptions& options);

 private:
  struct Slot {
    pid_t pid;
    std::shared_ptr<Session> session;
  };

  std::shared_ptr<Session> session();
  std::unique_ptr<Slot> NewSlot() const;

  const ClientOptions options_;
  std::atomic<Slot*> slot_{nullptr};
};

}  // namespace requestrouter::client
