#pragma once

#include <functional>
#include <mutex>
#include <vector>

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

  // Router thread: runs what was posted before the call. False: there was nothing.
  bool Drain();

  // Readable while something waits.
  int fd() const { return fd_; }

 private:
  const int fd_;  // an eventfd
  std::mutex mutex_;
  std::vector<Task> tasks_;  // guarded by mutex_
};

}  // namespace requestrouter::router
