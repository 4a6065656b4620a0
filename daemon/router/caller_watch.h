#pragma once

#include <sys/types.h>

#include <functional>
#include <unordered_map>

namespace requestrouter::router {

// Learns when a caller's process ends, through pidfds (pidfd_open(2)): a ROUTER socket does not
// tell. Router thread only.
class CallerWatch {
 public:
  // Processes watched at once; more are served all the same, but not watched.
  static constexpr std::size_t kMost = 4096;

  CallerWatch();
  ~CallerWatch();
  CallerWatch(const CallerWatch&) = delete;
  CallerWatch& operator=(const CallerWatch&) = delete;

  // Begins to watch a process, or goes on. One that is gone already is reported by Poll.
  void Watch(pid_t pid);

  // Calls `gone` for every watched process that has ended since.
  void Poll(const std::function<void(pid_t)>& gone);

  // Readable while Poll has something to report.
  int fd() const { return epoll_fd_; }

 private:
  const int epoll_fd_;
  std::unordered_map<pid_t, int> pidfds_;
};

}  // namespace requestrouter::router
