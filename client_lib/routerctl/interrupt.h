#pragma once

#include <functional>
#include <thread>

#include "client_lib/src/event_fd.h"

namespace requestrouter::routerctl {

// While it lives, the first SIGINT or SIGTERM calls `action` on a thread of its own instead of
// ending the program; a second one ends it. Construct before other threads are started: they
// inherit the blocked signals, so that none of them takes the signal.
class InterruptGuard {
 public:
  explicit InterruptGuard(std::function<void()> action);
  ~InterruptGuard();
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;

 private:
  void Watch() const;

  const std::function<void()> action_;
  client::EventFd done_;
  std::thread thread_;
};

}  // namespace requestrouter::routerctl
