#include "daemon/router/access.h"

#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

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

// The groups that the user database gives a uid, supplementary ones included. A process may hold
// other groups; those are not known from the socket.
std::vector<gid_t> GroupsOf(uid_t uid, gid_t primary) {
  std::array<char, 16384> buffer{};
  passwd entry{};
  passwd* found = nullptr;
  if (getpwuid_r(uid, &entry, buffer.data(), buffer.size(), &found) != 0 || !found) {
    return {primary};
  }
  std::vector<gid_t> groups(256);
  int count = static_cast<int>(groups.size());
  if (getgrouplist(found->pw_name, primary, groups.data(), &count) < 0) {
    groups.resize(static_cast<std::size_t>(count));
    getgrouplist(found->pw_name, primary, groups.data(), &count);
  }
  groups.resize(static_cast<std::size_t>(count));
  return groups;
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
