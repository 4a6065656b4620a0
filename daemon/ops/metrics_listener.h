#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "daemon/ops/families.h"
#include "daemon/router/mailbox.h"
#include "ipc/error.h"

namespace requestrouter::ops {

// Serves the metrics over HTTP at /metrics, for Prometheus to scrape: on a loopback address only,
// and to whoever can connect to it. There is nothing private in them, but every user of the host
// can read them.
//
// prometheus-cpp answers on threads of its own. A scrape asks the router thread through the
// mailbox; where that does not answer in time, `without_router` is served, which says so.
class MetricsListener {
 public:
  using Done = std::function<void(Families)>;

  struct Sources {
    router::Mailbox& mailbox;                  // outlives the listener
    std::function<void(const Done&)> gather;   // called on the router thread
    std::function<Families()> without_router;  // called on any thread
    // Below Prometheus' own time-out for a scrape, which is 10 s unless configured.
    std::chrono::milliseconds patience{5'000};
  };

  // `address` as config::LoopbackAddress gives it. The error names the remedy.
  static ipc::Result<std::unique_ptr<MetricsListener>> Listen(const std::string& address,
                                                              Sources sources);
  // Ends the scrapes under way.
  ~MetricsListener();
  MetricsListener(const MetricsListener&) = delete;
  MetricsListener& operator=(const MetricsListener&) = delete;

  // The address that it listens on, with the port that the system chose where 0 was asked for.
  const std::string& address() const { return address_; }

 private:
  class Impl;
  MetricsListener(std::unique_ptr<Impl> impl, std::string address);
  std::unique_ptr<Impl> impl_;
  std::string address_;
};

}  // namespace requestrouter::ops
