#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <unordered_map>

#include "daemon/router/users.h"
#include "ipc/socket.h"

namespace requestrouter::router {

// How callers are shown to people: "uid 1000 (ada) pid 4242 (planner.service)". The name is the
// user database's, absent where it has none or has not answered yet. The program is the systemd
// service that the process belongs to, of the system or of the user, or else the command's name;
// absent where the process is gone or hidden. A process may choose its own command name: it is for
// reading, not for deciding.
//
// Router thread only: nothing but the kernel is asked, and that once for each process, when it
// first asks, while it lives.
class CallerNames {
 public:
  // Processes remembered at once; beyond them all are forgotten and looked up again.
  static constexpr std::size_t kMost = 4096;

  explicit CallerNames(const Users& users) : users_(users) {}

  // Valid until the next call.
  const std::string& Of(const ipc::Peer& peer);
  // The same of one whose end Forget is not told of.
  std::string OfOne(const ipc::Peer& peer) const;

  // The process has ended: its pid may be another's next.
  void Forget(pid_t pid) { known_.erase(pid); }

 private:
  struct Known {
    uid_t uid;
    std::string program;
    std::shared_ptr<const User> user;  // as `text` names it
    std::string text;
  };

  const Users& users_;
  std::unordered_map<pid_t, Known> known_;
};

}  // namespace requestrouter::router
