#include "ipc/socket_path.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string_view>
#include <utility>

namespace requestrouter::ipc {
namespace {

constexpr std::string_view kScheme = "ipc://";
constexpr std::size_t kMostBytes = sizeof(sockaddr_un::sun_path) - 1;
constexpr mode_t kFolderMode = 0750;
constexpr mode_t kLockMode = 0600;

tl::unexpected<Error> Refuse(std::string message) {
  return Fail(ErrorType::kInternalError, std::move(message));
}

std::string Reason() { return std::strerror(errno); }

Result<std::string> PathOf(const std::string& endpoint) {
  if (endpoint.compare(0, kScheme.size(), kScheme) != 0) {
    return Refuse("the endpoint \"" + endpoint + "\" is no local socket; use ipc:///PATH");
  }
  std::string path = endpoint.substr(kScheme.size());
  // "@name" would be an abstract socket, which has no permissions.
  if (path.empty() || path.front() != '/' || path.back() == '/') {
    return Refuse("the endpoint \"" + endpoint + "\" needs an absolute path: ipc:///PATH");
  }
  if (path.size() > kMostBytes) {
    return Refuse("the path of " + endpoint + " is too long: " + std::to_string(path.size()) +
                  " bytes, at most " + std::to_string(kMostBytes) +
                  " are possible; use a shorter one");
  }
  return path;
}

// Makes the folders that are missing. A failure shows when the lock is opened.
void MakeFolder(const std::filesystem::path& folder) {
  if (mkdir(folder.c_str(), kFolderMode) == 0 || errno != ENOENT || !folder.has_relative_path()) {
    return;
  }
  MakeFolder(folder.parent_path());
  mkdir(folder.c_str(), kFolderMode);
}

// Whoever holds the lock has written its pid into it.
std::string HolderOf(int lock_fd) {
  char text[32] = {};
  const ssize_t got = pread(lock_fd, text, sizeof text - 1, 0);
  return got > 0 ? " (pid " + std::string(text, strnlen(text, sizeof text)) + ")" : "";
}

void WritePid(int lock_fd) {
  const std::string pid = std::to_string(getpid());
  // The pid is for people only: a lock without it works as well.
  if (ftruncate(lock_fd, 0) == 0) {
    [[maybe_unused]] const ssize_t written = pwrite(lock_fd, pid.data(), pid.size(), 0);
  }
}

}  // namespace

Result<SocketPath> SocketPath::Take(const std::string& endpoint) {
  Result<std::string> path = PathOf(endpoint);
  if (!path) return tl::unexpected(std::move(path.error()));
  MakeFolder(std::filesystem::path(*path).parent_path());
  const std::string lock = *path + ".lock";
  const int fd = open(lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, kLockMode);
  if (fd < 0) {
    return Refuse("cannot write " + lock + ": " + Reason() +
                  "; choose another --endpoint or make the folder writable");
  }
  SocketPath taken(std::move(*path), fd);
  if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
    return Refuse("another routerd" + HolderOf(fd) + " listens on " + endpoint +
                  "; stop it, or choose another --endpoint");
  }
  WritePid(fd);
  return taken;
}

Result<void> SocketPath::Clear() const {
  struct stat found = {};
  if (lstat(path_.c_str(), &found) != 0 || S_ISSOCK(found.st_mode)) return {};
  return Refuse(path_ + " is there and is no socket; remove it, or choose another --endpoint");
}

Result<void> SocketPath::Protect(mode_t mode) {
  remove_ = true;
  if (chmod(path_.c_str(), mode) == 0) return {};
  return Refuse("cannot set the permissions of " + path_ + ": " + Reason());
}

SocketPath::SocketPath(SocketPath&& other) noexcept
    : path_(std::move(other.path_)),
      lock_fd_(std::exchange(other.lock_fd_, -1)),
      remove_(other.remove_) {}

SocketPath::~SocketPath() {
  if (lock_fd_ < 0) return;
  if (remove_) unlink(path_.c_str());
  close(lock_fd_);
}

}  // namespace requestrouter::ipc
