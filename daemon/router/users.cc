#include "daemon/router/users.h"

#include <algorithm>
#include <optional>

#include "daemon/config/user_database.h"

namespace requestrouter::router {

User LookUpUser(const ipc::Peer& peer, const std::string& admin_group) {
  User user;
  user.name = config::UserName(peer.uid).value_or("");
  user.groups = config::GroupsOf(peer.uid, peer.gid);
  const std::optional<gid_t> admins =
      admin_group.empty() ? std::nullopt : config::GroupId(admin_group);
  user.in_admin_group =
      admins && std::find(user.groups.begin(), user.groups.end(), *admins) != user.groups.end();
  return user;
}

void Users::Configure(std::string admin_group) {
  admin_group_ = std::move(admin_group);
  ++configuration_;
  known_.clear();
}

std::shared_ptr<const User> Users::Find(const ipc::Peer& peer) const {
  const auto known = known_.find({peer.uid, peer.gid});
  return known == known_.end() ? nullptr : known->second.user;
}

void Users::WhenKnown(const ipc::Peer& peer, Then then) {
  const Key key{peer.uid, peer.gid};
  const auto known = known_.find(key);
  if (known != known_.end() && clock_.Steady() - known->second.at < kFresh) {
    const std::shared_ptr<const User> user = known->second.user;
    return then(user);
  }
  std::vector<Then>& waiting = waiting_[key];
  waiting.push_back(std::move(then));
  ++waiting_count_;
  if (waiting.size() == 1) Ask(peer);
}

void Users::Ask(const ipc::Peer& peer) {
  run_elsewhere_([this, peer, look_up = look_up_, group = admin_group_,
                  configuration = configuration_, &mailbox = mailbox_] {
    User user = look_up(peer, group);
    mailbox.Post(
        [this, peer, configuration, user = std::move(user)] { Learn(peer, configuration, user); });
  });
}

// What was asked before a reload may be of another group.
void Users::Learn(const ipc::Peer& peer, std::uint64_t configuration, User user) {
  if (configuration != configuration_) return Ask(peer);
  const Key key{peer.uid, peer.gid};
  const auto shared = std::make_shared<const User>(std::move(user));
  if (known_.size() >= kMost) known_.clear();
  known_[key] = {shared, clock_.Steady()};
  const std::vector<Then> waiting = std::move(waiting_[key]);
  waiting_.erase(key);
  waiting_count_ -= waiting.size();
  for (const Then& then : waiting) then(shared);
}

}  // namespace requestrouter::router
