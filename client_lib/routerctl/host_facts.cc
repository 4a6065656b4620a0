#include "client_lib/routerctl/host_facts.h"

#include <grp.h>
#include <pwd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <system_error>

namespace requestrouter::routerctl {
namespace {

namespace fs = std::filesystem;

constexpr const char* kGroup = "requestrouter";
constexpr const char* kServiceSockets = "/run/requestrouter/";
constexpr const char* kServiceState = "/var/lib/requestrouter";
constexpr std::string_view kScheme = "ipc://";

// Both: one thread.
std::string NameOfUser(uid_t uid) {
  const passwd* entry = getpwuid(uid);
  return entry ? entry->pw_name : "uid " + std::to_string(uid);
}

std::string NameOfGroup(gid_t gid) {
  const group* entry = getgrgid(gid);
  return entry ? entry->gr_name : "gid " + std::to_string(gid);
}

bool IsIn(gid_t wanted) {
  if (getegid() == wanted) return true;
  const int count = getgroups(0, nullptr);
  std::vector<gid_t> groups(static_cast<std::size_t>(std::max(count, 0)));
  if (getgroups(count, groups.data()) < 0) return false;
  return std::find(groups.begin(), groups.end(), wanted) != groups.end();
}

// 0 or errno; `by` as in SocketFacts.
int TryToConnect(const std::string& path, std::optional<uid_t>& by) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return errno;
  int error = 0;
  if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) error = errno;
  ucred listener{};
  socklen_t size = sizeof listener;
  if (error == 0 && getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &listener, &size) == 0) {
    by = listener.uid;
  }
  close(fd);
  return error;
}

std::string Variable(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

}  // namespace

CallerFacts LookAtCaller() {
  CallerFacts caller;
  caller.uid = geteuid();
  caller.user = NameOfUser(caller.uid);
  if (const group* entry = getgrnam(kGroup)) {
    caller.group_known = true;
    caller.in_group = IsIn(entry->gr_gid);
  }
  return caller;
}

FileFacts LookAtFile(const std::string& path) {
  FileFacts file;
  file.path = path;
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) {
    file.error = errno;
    return file;
  }
  file.mode = status.st_mode;
  file.uid = status.st_uid;
  file.owner = NameOfUser(status.st_uid);
  file.group = NameOfGroup(status.st_gid);
  return file;
}

SocketFacts LookAtSocket(const std::string& endpoint) {
  SocketFacts facts;
  facts.endpoint = endpoint;
  if (!endpoint.starts_with(kScheme) || endpoint.size() == kScheme.size()) return facts;
  const std::string path = endpoint.substr(kScheme.size());
  facts.too_long = path.size() >= sizeof(sockaddr_un::sun_path);
  facts.file = LookAtFile(path);
  if (facts.too_long || facts.file.error != 0 || !S_ISSOCK(facts.file.mode)) return facts;
  facts.connect_error = TryToConnect(path, facts.by);
  if (facts.by) facts.by_user = NameOfUser(*facts.by);
  return facts;
}

DiskFacts LookAtDisk(const std::string& directory) {
  DiskFacts disk;
  disk.path = directory;
  struct statvfs status {};
  if (statvfs(directory.c_str(), &status) != 0) {
    disk.error = errno;
    return disk;
  }
  disk.free_bytes = static_cast<std::uint64_t>(status.f_bavail) * status.f_frsize;
  disk.total_bytes = static_cast<std::uint64_t>(status.f_blocks) * status.f_frsize;
  return disk;
}

ClockFacts LookAtClock() {
  timex clock{};  // modes 0: reads only
  const int state = adjtimex(&clock);
  if (state < 0) return {};
  return {true, state != TIME_ERROR && (clock.status & STA_UNSYNC) == 0};
}

std::string FindStateDirectory(const std::string& given, const std::string& socket_path) {
  if (!given.empty()) return given;
  std::vector<std::string> candidates;
  const bool service = socket_path.starts_with(kServiceSockets);
  if (!service && geteuid() != 0) {
    const std::string xdg = Variable("XDG_STATE_HOME");
    const std::string home = Variable("HOME");
    if (!xdg.empty()) {
      candidates.push_back(xdg + "/requestrouter");
    } else if (!home.empty()) {
      candidates.push_back(home + "/.local/state/requestrouter");
    }
  }
  candidates.emplace_back(kServiceState);
  for (const std::string& candidate : candidates) {
    if (access(candidate.c_str(), F_OK) == 0) return candidate;
  }
  return "";
}

std::vector<std::string> FindSecretFiles(const std::string& env_file) {
  std::vector<std::string> files;
  if (!env_file.empty()) files.push_back(env_file);
  if (access("/etc/requestrouter/env", F_OK) == 0) files.emplace_back("/etc/requestrouter/env");
  std::error_code error;
  // A directory that only root may list keeps its files closed by itself.
  fs::directory_iterator folder("/etc/requestrouter/credentials", error);
  for (; !error && folder != fs::directory_iterator(); folder.increment(error)) {
    files.push_back(folder->path().string());
  }
  std::sort(files.begin(), files.end());
  files.erase(std::unique(files.begin(), files.end()), files.end());
  return files;
}

}  // namespace requestrouter::routerctl
