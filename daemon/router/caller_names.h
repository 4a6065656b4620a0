#pragma once

#include <sys/types.h>

#include <string>
#include <unordered_map>

#include "ipc/socket.h"

namespace requestrouter::router {

// How a caller is shown to people: "uid 1000 (ada) pid 4242 (planner.service)". The name is the
// user database's, absent where it has none. The program is the systemd service that the process
// belongs to, of the system or of the user, or else the command's name; absent where the process is
// gone or hidden. A process may choose its own command name: it is for reading, not for deciding.
std::string DescribeCaller(const ipc::Peer& peer);

// The same, remembered: each process is looked up once, when it first asks, while it lives. Router
// thread only.
class CallerNames {
 public:
  // Processes remembered at once; beyond them all are forgotten and looked up again.
  static constexpr std::size_t kMost = 4096;

  const std::string& Of(const ipc::Peer& peer);

  // The process has ended: its pid may be another's next.
  void Forget(pid_t pid) { known_.erase(pid); }

 private:
  std::unordered_map<pid_t, std::pair<uid_t, std::string>> known_;
};

}  // namespace requestrouter::router
