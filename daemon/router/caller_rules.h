#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "daemon/config/caller_rule.h"
#include "daemon/router/users.h"
#include "ipc/socket.h"

namespace requestrouter::router {

// Which rule of the configuration holds for a caller: the first that names its uid, else the first
// that names one of its groups, else the first that names neither. Router thread only: decided once
// for each uid and group, and kept until the next reload.
class CallerRules {
 public:
  explicit CallerRules(std::vector<config::CallerRule> rules) : rules_(std::move(rules)) {}
  CallerRules(const CallerRules&) = delete;
  CallerRules& operator=(const CallerRules&) = delete;

  // Whether any rule names a group, so that the caller's must be known.
  bool name_groups() const;

  // `user`: what is known of the peer; null: nothing but its own group. nullptr: no rule holds,
  // everything is allowed.
  const config::CallerRule* Of(const ipc::Peer& peer, const User* user) const;

 private:
  const config::CallerRule* Find(const ipc::Peer& peer, const User* user) const;

  std::vector<config::CallerRule> rules_;
  mutable std::map<std::pair<uid_t, gid_t>, const config::CallerRule*> known_;
};

bool Allows(const config::CallerRule& rule, const std::string& model);

}  // namespace requestrouter::router
