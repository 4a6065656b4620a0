#include "daemon/router/access.h"

#include <grp.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include "daemon/router/user_groups.h"

namespace requestrouter::router {
namespace {

std::optional<gid_t> GroupId(const std::string& name) {
  std::array<char, 16384> buffer{};
  group entry{};
  group* found = nullptr;
  if (getgrnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found) != 0 || !found) {
    return std::nullopt;
  }
  return found->gr_gid;
}

}  // namespace

Access::Access(std::string admin_group) : admin_group_(std::move(admin_group)) {}

bool Access::IsAdmin(const ipc::Peer& peer) const {
  return peer.uid == 0 || peer.uid == geteuid() || InAdminGroup(peer);
}

bool Access::InAdminGroup(const ipc::Peer& peer) const {
  if (admin_group_.empty()) return false;
  const std::optional<gid_t> wanted = GroupId(admin_group_);
  if (!wanted) return false;
  const std::vector<gid_t> groups = GroupsOf(peer.uid, peer.gid);
  return std::find(groups.begin(), groups.end(), *wanted) != groups.end();
}

}  // namespace requestrouter::router
