#pragma once

#include <set>
#include <string>

#include "ipc/socket.h"

namespace requestrouter::router {

// Who may do what, decided by the kernel's peer credentials alone.
class Access {
 public:
  // Administrators: root, the daemon's own uid, and the members of `admin_group` (empty: none).
  explicit Access(std::string admin_group);

  bool IsAdmin(const ipc::Peer& peer) const;

 private:
  bool InAdminGroup(const ipc::Peer& peer) const;
  std::string admin_group_;
};

}  // namespace requestrouter::router
