#include "daemon/config/text_file.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace requestrouter::config {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

std::string WhyNot(int error) {
  switch (error) {
    case ENOENT:
    case ENOTDIR:
      return "does not exist; check the path";
    case EACCES:
      return "permission denied; let uid " + std::to_string(::geteuid()) + " read it";
    case EISDIR:
      return "is a directory; name the file in it";
    default:
      return std::string("cannot be read: ") + std::strerror(error);
  }
}

}  // namespace

tl::expected<std::string, std::string> ReadTextFile(const std::string& path,
                                                    std::size_t max_bytes) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
  if (file.get() < 0) return tl::unexpected(WhyNot(errno));
  std::string text;
  struct Buffer {
    char bytes[16384];
    ~Buffer() { ::explicit_bzero(bytes, sizeof bytes); }  // the file may hold secrets
  } buffer;
  while (true) {
    const ssize_t got = ::read(file.get(), buffer.bytes, sizeof buffer.bytes);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return tl::unexpected(WhyNot(errno));
    if (got == 0) return text;
    text.append(buffer.bytes, static_cast<std::size_t>(got));
    if (text.size() > max_bytes) {
      return tl::unexpected<std::string>("is larger than " + std::to_string(max_bytes) +
                                         " bytes; check the path");
    }
  }
}

}  // namespace requestrouter::config
