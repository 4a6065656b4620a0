#pragma once

#include <string>

#include "ipc/error.h"

namespace requestrouter::ipc {

// Owns the path of a listening socket: an flock on PATH.lock says that a daemon lives there,
// because bind() on ipc unlinks whatever is at the path, a live daemon's socket too.
class SocketPath {
 public:
  // `endpoint` is ipc://PATH. Makes the folder (0755) where it is missing. Fails with a message
  // that names the remedy: not ipc, too long, no permission, another daemon.
  static Result<SocketPath> Take(const std::string& endpoint);

  SocketPath(SocketPath&& other) noexcept;
  SocketPath& operator=(SocketPath&&) = delete;
  // Releases the lock. The socket file is removed where RemoveOnRelease was called.
  ~SocketPath();

  const std::string& path() const { return path_; }
  void RemoveOnRelease() { remove_ = true; }

 private:
  SocketPath(std::string path, int lock_fd) : path_(std::move(path)), lock_fd_(lock_fd) {}
  std::string path_;
  int lock_fd_;
  bool remove_ = false;
};

}  // namespace requestrouter::ipc
