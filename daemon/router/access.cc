#include "daemon/router/access.h"

#include <unistd.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "daemon/config/user_database.h"

namespace requestrouter::router {
Access::Access(std::string admin_group) : admin_group_(std::move(admin_group)) {}

bool Access::IsAdmin(const ipc::Peer& peer) const {
  return peer.uid == 0 || peer.uid == geteuid() || InAdminGroup(peer);
}

bool Access::InAdminGroup(const ipc::Peer& peer) const {
  if (admin_group_.empty()) return false;
  const std::optional<gid_t> wanted = config::GroupId(admin_group_);
  if (!wanted) return false;
  const std::vector<gid_t> groups = config::GroupsOf(peer.uid, peer.gid);
  return std::find(groups.begin(), groups.end(), *wanted) != groups.end();
}

}  // namespace requestrouter::router
