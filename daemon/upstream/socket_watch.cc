#include "daemon/upstream/socket_watch.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <system_error>
#include <utility>

namespace requestrouter::upstream {
namespace {

constexpr std::chrono::minutes kLongestSleep{1};

int Checked(int descriptor, const char* what) {
  if (descriptor < 0) throw std::system_error(errno, std::generic_category(), what);
  return descriptor;
}

int SleepMs(Deadlines::Instant until) {
  if (until == Deadlines::kNever) return -1;
  const auto now = std::chrono::steady_clock::now();
  if (until <= now) return 0;  // before the subtraction, which the far past would overflow
  const auto left = std::min<Deadlines::Instant::duration>(until - now, kLongestSleep);
  return static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(left).count());
}

}  // namespace

SocketWatch::SocketWatch()
    : epoll_(Checked(epoll_create1(EPOLL_CLOEXEC), "epoll_create1")),
      wake_(Checked(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd")) {
  Want(wake_, EPOLLIN);
}

SocketWatch::~SocketWatch() {
  close(wake_);
  close(epoll_);
}

SocketWatch::Entry& SocketWatch::At(int descriptor) {
  const auto index = static_cast<std::size_t>(descriptor);
  if (index >= entries_.size()) entries_.resize(std::max(index + 1, 2 * entries_.size()));
  return entries_[index];
}

void SocketWatch::Opened(int socket) { At(socket).open = true; }

// The system takes a closed descriptor out of the set by itself.
void SocketWatch::Closed(int socket) {
  Entry& entry = At(socket);
  entry.open = false;
  entry.wanted = entry.watched = 0;
}

void SocketWatch::Want(int socket, std::uint32_t events) {
  Entry& entry = At(socket);
  if (events == 0 && !entry.open) entry.certain = false;
  entry.wanted = events;
  if (!std::exchange(entry.touched, true)) touched_.push_back(socket);
}

void SocketWatch::Invite(int descriptor) {
  Want(descriptor, EPOLLIN);
  At(descriptor).guest = true;
}

void SocketWatch::Apply() {
  for (const int socket : touched_) {
    Entry& entry = At(socket);
    entry.touched = false;
    const bool resting = entry.open && entry.wanted == 0;
    if (entry.certain && (resting || entry.watched == entry.wanted)) continue;
    Set(socket, entry);
  }
  touched_.clear();
}

// Fails only where the system has no memory for it, and then the transfer ends by its time-out. To
// remove what a close() has removed already is no failure.
void SocketWatch::Set(int socket, Entry& entry) {
  epoll_event event{};
  event.events = entry.wanted;
  event.data.fd = socket;
  if (entry.wanted == 0) {
    if (entry.watched != 0) epoll_ctl(epoll_, EPOLL_CTL_DEL, socket, nullptr);
  } else if (entry.watched == 0 || epoll_ctl(epoll_, EPOLL_CTL_MOD, socket, &event) != 0) {
    epoll_ctl(epoll_, EPOLL_CTL_ADD, socket, &event);
  }
  entry.watched = entry.wanted;
  entry.certain = true;
}

void SocketWatch::Unwatch(int socket, Entry& entry) {
  epoll_ctl(epoll_, EPOLL_CTL_DEL, socket, nullptr);
  entry.watched = 0;
}

const std::vector<SocketWatch::Ready>& SocketWatch::Wait(Deadlines::Instant until) {
  Apply();
  ready_.clear();
  guests_.clear();
  const int count =
      epoll_wait(epoll_, events_.data(), static_cast<int>(events_.size()), SleepMs(until));
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events_.at(static_cast<std::size_t>(i));
    if (event.data.fd == wake_) {
      DrainWakeUps();
      continue;
    }
    Entry& entry = At(event.data.fd);
    if (entry.guest) {
      guests_.push_back(event.data.fd);
    } else if (entry.wanted == 0) {
      // The other end closes a resting connection: curl sees that when it takes it again.
      Unwatch(event.data.fd, entry);
    } else {
      ready_.push_back({event.data.fd, event.events});
    }
  }
  return ready_;
}

void SocketWatch::Wake() {
  const std::uint64_t one = 1;
  // Fails only where the counter is full, and then a wake-up is due anyway.
  [[maybe_unused]] const ssize_t written = write(wake_, &one, sizeof one);
}

void SocketWatch::DrainWakeUps() {
  std::uint64_t count = 0;
  [[maybe_unused]] const ssize_t got = read(wake_, &count, sizeof count);
}

}  // namespace requestrouter::upstream
