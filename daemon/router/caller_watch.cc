#include "daemon/router/caller_watch.h"

#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <system_error>

namespace requestrouter::router {
namespace {

// glibc has a wrapper from 2.36 on only.
int PidfdOpen(pid_t pid) { return static_cast<int>(syscall(SYS_pidfd_open, pid, 0)); }

}  // namespace

CallerWatch::CallerWatch() : epoll_fd_(epoll_create1(EPOLL_CLOEXEC)) {
  if (epoll_fd_ < 0) throw std::system_error(errno, std::generic_category(), "epoll_create1");
}

CallerWatch::~CallerWatch() {
  for (const auto& [pid, fd] : pidfds_) close(fd);
  close(epoll_fd_);
}

void CallerWatch::Watch(pid_t pid) {
  if (pid <= 0 || pidfds_.size() >= kMost || pidfds_.contains(pid)) return;
  const int fd = PidfdOpen(pid);
  if (fd < 0) return;  // gone, or in another pid namespace: its requests end by their deadline
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = static_cast<std::uint64_t>(pid);
  epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, fd, &event);
  pidfds_[pid] = fd;
}

void CallerWatch::Poll(const std::function<void(pid_t)>& gone) {
  std::array<epoll_event, 64> events{};
  const int count = epoll_wait(epoll_fd_, events.data(), static_cast<int>(events.size()), 0);
  for (int i = 0; i < count; ++i) {
    const auto pid = static_cast<pid_t>(events.at(static_cast<std::size_t>(i)).data.u64);
    close(pidfds_.at(pid));  // leaves the epoll set with it
    pidfds_.erase(pid);
    gone(pid);
  }
}

}  // namespace requestrouter::router
