#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <string>
#include <string_view>

#include "tests/fuzz/input.h"

namespace requestrouter::fuzz {

// A file with a name to open it by, that no disk sees.
class FileInMemory {
 public:
  explicit FileInMemory(std::string_view text) : fd_(memfd_create("fuzz", MFD_CLOEXEC)) {
    Require(fd_ >= 0, "no file");
    const ssize_t written = write(fd_, text.data(), text.size());
    Require(written == static_cast<ssize_t>(text.size()), "a short write");
  }
  ~FileInMemory() { close(fd_); }
  FileInMemory(const FileInMemory&) = delete;
  FileInMemory& operator=(const FileInMemory&) = delete;

  std::string path() const { return "/proc/self/fd/" + std::to_string(fd_); }

 private:
  const int fd_;
};

}  // namespace requestrouter::fuzz
