#pragma once

#include <optional>
#include <string>

#include "requestrouter/client.h"
#include "tests/support/daemon_process.h"
#include "tests/support/sim.h"

// routerd with one generous key, before a simulator, for tests of its clients.
namespace requestrouter::testing {

class RealDaemon {
 public:
  RealDaemon();

  support::Sim& sim() { return sim_; }
  support::DaemonProcess& daemon() { return *daemon_; }
  std::string endpoint() const { return daemon_->endpoint(); }
  ClientOptions options() const;

  // Blocks until the provider has had so many requests.
  void WaitForAttempts(std::int64_t count);

 private:
  support::Sim sim_;
  std::optional<support::DaemonProcess> daemon_;
};

ChatRequest Prompt(const std::string& text);

}  // namespace requestrouter::testing
