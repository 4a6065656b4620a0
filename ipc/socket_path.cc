#include "ipc/socket_path.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

namespace requestrouter::ipc {
namespace {

constexpr std::string_view kScheme = "ipc://";

tl::unexpected<Error> Refuse(std::string message) {
  return Fail(ErrorType::kInternalError, std::move(message));
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
  if (endpoint.compare(0, kScheme.size(), kScheme) != 0) {
    return Refuse("the endpoint \"" + endpoint + "\" is no local socket; use ipc:///PATH");
  }
  const std::string path = endpoint.substr(kScheme.size());
  if (path.empty() || path.front() != '/') {
    return Refuse("the endpoint \"" + endpoint + "\" needs an absolute path: ipc:///PATH");
  }
  if (path.size() >= sizeof(sockaddr_un::sun_path)) {
    return Refuse("the path of " + endpoint + " is too long: " + std::to_string(path.size()) +
                  " bytes, at most " + std::to_string(sizeof(sockaddr_un::sun_path) - 1));
  }
  std::error_code ignored;  // the open below says what is wrong
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(), ignored);
  const std::string lock = path + ".lock";
  const int fd = open(lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) {
    return Refuse("cannot write " + lock + ": " + std::strerror(errno) +
                  "; choose another --endpoint or make the folder writable");
  }
  if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
    const std::string holder = HolderOf(fd);
    close(fd);
    return Refuse("another routerd" + holder + " listens on " + endpoint +
                  "; stop it, or choose another --endpoint");
  }
  WritePid(fd);
  return SocketPath(path, fd);
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
