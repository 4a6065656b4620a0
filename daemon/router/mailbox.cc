#include "daemon/router/mailbox.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>
#include <system_error>

namespace requestrouter::router {
namespace {

int NewEventFd() {
  const int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (fd < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
  return fd;
}

}  // namespace

Mailbox::Mailbox() : fd_(NewEventFd()) {}

Mailbox::~Mailbox() { close(fd_); }

void Mailbox::Post(Task task) {
  bool wake = false;
  {
    const threads::Lock lock(mutex_);
    wake = tasks_.empty();
    tasks_.push_back(std::move(task));
  }
  if (wake) {
    const std::uint64_t one = 1;
    // Fails only where the counter is full, and then the fd is readable already.
    [[maybe_unused]] const ssize_t written = write(fd_, &one, sizeof one);
  }
}

bool Mailbox::Drain() {
  std::vector<Task> tasks;
  {
    const threads::Lock lock(mutex_);
    if (tasks_.empty()) return false;
    tasks.swap(tasks_);
    std::uint64_t count = 0;
    [[maybe_unused]] const ssize_t got = read(fd_, &count, sizeof count);
  }
  for (Task& task : tasks) task();
  return true;
}

}  // namespace requestrouter::router
