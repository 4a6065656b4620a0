#pragma once

#include <functional>
#include <vector>

#include "threads/mutex.h"
#include "threads/role.h"

namespace requestrouter::router {

// How other threads hand work to the router thread: a task is posted anywhere and run by Drain on
// the router thread. Every poster bounds what it has under way (a reply a write, paused streams),
// so the mailbox needs no bound of its own.
class Mailbox {
 public:
  using Task = std::function<void()>;

  Mailbox();
  ~Mailbox();
  Mailbox(const Mailbox&) = delete;
  Mailbox& operator=(const Mailbox&) = delete;

  // Any thread. Never blocks for longer than a push.
  void Post(Task task);

  // Runs what was posted before the call. False: there was nothing.
  bool Drain() RR_REQUIRES(threads::kRouterThread);

  // Readable while something waits.
  int fd() const { return fd_; }

 private:
  const int fd_;  // an eventfd
  threads::Mutex mutex_;
  std::vector<Task> tasks_ RR_GUARDED_BY(mutex_);
};

}  // namespace requestrouter::router
