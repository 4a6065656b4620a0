#include "storage/directory_watch.h"

#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstring>

namespace requestrouter::storage {
namespace {

constexpr std::uint32_t kEvents =
    IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;

constexpr std::chrono::seconds kTrusted{1};

int Watch(const std::string& directory) {
  const int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
  if (fd < 0 || inotify_add_watch(fd, directory.c_str(), kEvents) >= 0) return fd;
  close(fd);
  return -1;
}

// The path names this directory no more.
bool IsGone(const char* events, ssize_t size) {
  for (ssize_t at = 0; at < size;) {
    inotify_event event{};
    std::memcpy(&event, events + at, sizeof event);
    if ((event.mask & (IN_MOVE_SELF | IN_DELETE_SELF | IN_UNMOUNT | IN_IGNORED)) != 0) return true;
    at += static_cast<ssize_t>(sizeof event) + event.len;
  }
  return false;
}

}  // namespace

DirectoryWatch::DirectoryWatch(const std::string& directory) : fd_(Watch(directory)) {}

DirectoryWatch::~DirectoryWatch() {
  if (fd_ >= 0) close(fd_);
}

bool DirectoryWatch::MayHaveChanged(Instant now) {
  const bool news = HasNews();
  if (!news && now < trusted_until_) return false;
  trusted_until_ = now + kTrusted;
  return true;
}

// Of which file is not looked at: all such news is rare.
bool DirectoryWatch::HasNews() {
  if (fd_ < 0) return true;
  std::array<char, 4096> events;
  bool any = false;
  for (ssize_t size = 0; (size = read(fd_, events.data(), events.size())) > 0; any = true) {
    if (!IsGone(events.data(), size)) continue;
    close(fd_);
    fd_ = -1;
    return true;
  }
  return any;
}

}  // namespace requestrouter::storage
