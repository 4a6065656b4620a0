#pragma once

#include <chrono>
#include <string>

namespace requestrouter::storage {

// Whether files of a directory may have been deleted, moved or replaced: one system call that walks
// no path, in the place of one for each file. The kernel notes such a thing before the call that
// did it returns (inotify(7)). Confined to one thread.
class DirectoryWatch {
 public:
  using Instant = std::chrono::steady_clock::time_point;

  // Where the directory cannot be watched, or is moved or deleted itself, MayHaveChanged is always
  // true.
  explicit DirectoryWatch(const std::string& directory);
  ~DirectoryWatch();
  DirectoryWatch(const DirectoryWatch&) = delete;
  DirectoryWatch& operator=(const DirectoryWatch&) = delete;

  // Since the last call. Writing to files changes nothing. Says so once a second, too, for what is
  // not noted: a folder further up was moved, or another machine did it.
  bool MayHaveChanged(Instant now);

 private:
  bool HasNews();

  int fd_;  // -1: not watched
  Instant trusted_until_{};
};

}  // namespace requestrouter::storage
