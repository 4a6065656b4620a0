#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

// What `routerctl doctor` can learn of this host without asking the daemon. Each function looks
// once and judges nothing; none fails otherwise than by saying so in its facts.
namespace requestrouter::routerctl {

struct CallerFacts {
  uid_t uid = 0;
  std::string user;          // its name, or "uid 1000" where it has none
  bool in_group = false;     // requestrouter
  bool group_known = false;  // there is such a group
};

struct FileFacts {
  std::string path;
  int error = 0;  // errno of stat(2); 0: the rest is known
  mode_t mode = 0;
  uid_t uid = 0;
  std::string owner, group;
};

struct SocketFacts {
  std::string endpoint;
  FileFacts file;         // path empty: the endpoint is not ipc://PATH
  bool too_long = false;  // for a socket's address (sun_path, unix(7))
  int connect_error = 0;  // errno of connect(2); 0: something listens
  // Who called listen(2): routerd's user, or root where systemd passed it the socket.
  std::optional<uid_t> by;
  std::string by_user;
};

struct DiskFacts {
  std::string path;
  int error = 0;  // errno of statvfs(3)
  std::uint64_t free_bytes = 0;
  std::uint64_t total_bytes = 0;
};

struct ClockFacts {
  bool known = false;
  bool synchronised = false;  // the kernel's own account, adjtimex(2)
};

struct ConfigFacts {
  std::string program;  // routerd's path; empty: not found
  std::string config;
  int exit_code = -1;  // -1: did not start or did not end in time
  std::vector<std::string> lines;
};

CallerFacts LookAtCaller();
FileFacts LookAtFile(const std::string& path);
// Connects, and leaves again without a word.
SocketFacts LookAtSocket(const std::string& endpoint);
DiskFacts LookAtDisk(const std::string& directory);
ClockFacts LookAtClock();

// The state directory: `given`, or the one that routerd takes by itself where it exists; empty
// where there is none. A socket in /run/requestrouter is the system service's.
std::string FindStateDirectory(const std::string& given, const std::string& socket_path);

// The service's files that hold secrets, and `env_file` unless empty; those that can be seen.
std::vector<std::string> FindSecretFiles(const std::string& env_file);

// Runs `routerd --check-config`: the one beside this program, else in PATH, else in /usr/sbin. It
// finds secrets where the service finds them: in the environment, in `env_file` (may be empty) and
// among the service's credentials, where this process may read them.
ConfigFacts CheckConfiguration(const std::string& config, const std::string& env_file);

}  // namespace requestrouter::routerctl
