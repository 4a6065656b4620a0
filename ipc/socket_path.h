#pragma once

#include <sys/types.h>

#include <string>

#include "ipc/error.h"

namespace requestrouter::ipc {

// Owns the path of a listening socket: an flock on PATH.lock says that a daemon lives there,
// because bind() on ipc unlinks whatever is at the path, a live daemon's socket too. The lock file
// itself stays: removing it would let two daemons lock two files of the same name.
// Every failure's message names the remedy.
class SocketPath {
 public:
  // `endpoint` is ipc://PATH. Makes the folders that are missing (0750). Fails for what is not ipc,
  // a path that is not absolute or too long, missing permission, and another daemon.
  static Result<SocketPath> Take(const std::string& endpoint);

  SocketPath(SocketPath&& other) noexcept;
  SocketPath& operator=(SocketPath&&) = delete;
  // Removes the socket file where Protect was called, and releases the lock.
  ~SocketPath();

  // Fails where something is at the path that is no socket: bind() would remove it.
  Result<void> Clear() const;
  // After bind(): sets the socket file's mode, and makes it this object's to remove.
  Result<void> Protect(mode_t mode);

 private:
  SocketPath(std::string path, int lock_fd) : path_(std::move(path)), lock_fd_(lock_fd) {}
  std::string path_;
  int lock_fd_;
  bool remove_ = false;
};

}  // namespace requestrouter::ipc
