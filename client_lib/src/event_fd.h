#pragma once

#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>

namespace requestrouter::client {

// An eventfd(2) that wakes whoever polls it. Signal and Drain: any thread.
class EventFd {
 public:
  EventFd() : fd_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}
  ~EventFd() {
    if (valid()) close(fd_);
  }
  EventFd(const EventFd&) = delete;
  EventFd& operator=(const EventFd&) = delete;

  // False where the process had no descriptor left.
  bool valid() const { return fd_ >= 0; }
  int get() const { return fd_; }

  // Readable until the next Drain. Both fail only where the counter is in that state already.
  void Signal() {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto ignored = write(fd_, &one, sizeof one);
  }
  void Drain() {
    std::uint64_t count = 0;
    [[maybe_unused]] const auto ignored = read(fd_, &count, sizeof count);
  }

 private:
  const int fd_;
};

}  // namespace requestrouter::client
