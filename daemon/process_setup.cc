#include "daemon/process_setup.h"

#include <sys/resource.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <random>

namespace requestrouter {
namespace {

// For the ROUTER's peers and the connections to providers.
constexpr rlim_t kDescriptors = 65'536;

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

}  // namespace requestrouter
