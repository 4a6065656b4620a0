#include "daemon/process_setup.h"

#include <sys/mman.h>
#include <sys/resource.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <random>
#include <sstream>
#include <string_view>

namespace requestrouter {
namespace {

// For the ROUTER's peers and the connections to providers.
constexpr rlim_t kDescriptors = 65'536;

// A mapping as /proc/self/smaps has it (proc(5)).
struct Mapping {
  std::uintptr_t begin = 0;
  std::uintptr_t end = 0;
  bool is_file_read_only = false;  // private: only so may its pages be dropped

  // `line`: its first one; those that follow begin with capitals.
  static Mapping Of(const std::string& line) {
    Mapping mapping;
    char dash = 0;
    std::string rights, offset, device;
    std::uint64_t inode = 0;
    std::istringstream fields(line);
    fields >> std::hex >> mapping.begin >> dash >> mapping.end >> rights >> offset >> device;
    fields >> std::dec >> inode;
    mapping.is_file_read_only = inode != 0 && rights[1] == '-' && rights[3] == 'p';
    return mapping;
  }

  void Release() const {
    // NOLINTNEXTLINE(performance-no-int-to-ptr): the kernel gave it as text
    madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
  }
};

}  // namespace

void RaiseDescriptorLimit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = std::min(limit.rlim_max, kDescriptors);
  setrlimit(RLIMIT_NOFILE, &limit);
}

void OutliveReaders() { std::signal(SIGPIPE, SIG_IGN); }

int ActivatedSocket() { return sd_listen_fds(1) > 0 ? SD_LISTEN_FDS_START : -1; }

std::string StateDirectory(const std::string& given) {
  if (!given.empty()) return given;
  if (const char* managed = std::getenv("STATE_DIRECTORY")) return managed;
  if (geteuid() == 0) return "/var/lib/requestrouter";
  if (const char* xdg = std::getenv("XDG_STATE_HOME")) return std::string(xdg) + "/requestrouter";
  if (const char* home = std::getenv("HOME")) {
    return std::string(home) + "/.local/state/requestrouter";
  }
  return "/var/lib/requestrouter";
}

std::uint64_t RandomSeed() {
  std::random_device device;
  return (static_cast<std::uint64_t>(device()) << 32) | device();
}

// Pages that were written to before they were made read-only (relocations) are "anonymous": the
// file does not have them, so their mapping stays as it is.
void ReleaseStartPages() {
  constexpr std::string_view kAnonymous = "Anonymous:";
  std::ifstream lines("/proc/self/smaps");
  Mapping mapping;
  for (std::string line; std::getline(lines, line);) {
    if (std::isupper(static_cast<unsigned char>(line.front())) == 0) {
      mapping = Mapping::Of(line);
    } else if (mapping.is_file_read_only && line.starts_with(kAnonymous) &&
               std::strtoull(line.c_str() + kAnonymous.size(), nullptr, 10) == 0) {
      mapping.Release();
    }
  }
}

}  // namespace requestrouter
