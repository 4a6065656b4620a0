#pragma once

#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <string>
#include <utility>

namespace requestrouter::secrets {

// Owns a file descriptor.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() { Close(); }
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  bool valid() const { return fd_ >= 0; }
  int get() const { return fd_; }
  void Close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }

  // Appends what can be read until the end, or until `text` is longer than `max`. The text is
  // allocated once, so that no copy of a secret is left behind by growing. Returns 0 or an errno;
  // EAGAIN where a non-blocking descriptor has nothing more for now.
  int ReadAll(std::string& text, std::size_t max) const {
    text.reserve(max + 1);
    while (text.size() <= max) {
      const std::size_t before = text.size();
      text.resize(max + 1);
      const ssize_t got = ::read(fd_, &text[before], max + 1 - before);
      const int error = errno;
      text.resize(got > 0 ? before + static_cast<std::size_t>(got) : before);
      if (got == 0) return 0;
      if (got < 0 && error != EINTR) return error;
    }
    return 0;
  }

 private:
  int fd_ = -1;
};

}  // namespace requestrouter::secrets
