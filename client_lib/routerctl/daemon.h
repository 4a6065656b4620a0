#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include "ipc/value.h"
#include "requestrouter/client.h"

namespace requestrouter::routerctl {

// The daemon as the commands see it: operations by name, bodies as values. One thread, but for
// Cancel.
class Daemon {
 public:
  struct Options {
    std::string endpoint;                              // empty: as for every client
    std::optional<std::chrono::milliseconds> timeout;  // overrides each command's own
  };
  // False: stop.
  using OnEvent = std::function<bool(const ipc::Value& body)>;

  explicit Daemon(const Options& options);

  // Asks once: a daemon that is shutting down or went away is what a person wants to know.
  Result<ipc::Value> Ask(const std::string& op, const ipc::Value& body,
                         const OnEvent& on_event = {},
                         std::chrono::milliseconds timeout = std::chrono::seconds(10));

  // As Ask for a chat under a given request id, which survives a restart of the daemon.
  Result<ipc::Value> Chat(const std::string& request_id, const ipc::Value& body,
                          const OnEvent& on_event);

  // Where it is looked for.
  std::string endpoint() const;

  // Any thread.
  void Cancel(const std::string& request_id);

 private:
  Result<ipc::Value> Call(const std::string& op, const ipc::Value& body, const OnEvent& on_event,
                          const CallOptions& call);

  const Options options_;
  Client client_;
};

}  // namespace requestrouter::routerctl
