#include "daemon/router/caller_rules.h"

#include <algorithm>

namespace requestrouter::router {
namespace {

bool Matches(const std::string& pattern, const std::string& model) {
  if (pattern.empty() || pattern.back() != '*') return pattern == model;
  return model.compare(0, pattern.size() - 1, pattern, 0, pattern.size() - 1) == 0;
}

}  // namespace

bool CallerRules::name_groups() const {
  return std::any_of(rules_.begin(), rules_.end(),
                     [](const config::CallerRule& rule) { return rule.gid.has_value(); });
}

const config::CallerRule* CallerRules::Of(const ipc::Peer& peer, const User* user) const {
  if (rules_.empty()) return nullptr;
  const auto [entry, is_new] = known_.try_emplace({peer.uid, peer.gid}, nullptr);
  if (is_new) entry->second = Find(peer, user);
  return entry->second;
}

const config::CallerRule* CallerRules::Find(const ipc::Peer& peer, const User* user) const {
  const auto first = [this](auto matches) -> const config::CallerRule* {
    const auto found = std::find_if(rules_.begin(), rules_.end(), matches);
    return found == rules_.end() ? nullptr : &*found;
  };
  using Rule = config::CallerRule;
  if (const Rule* own = first([&](const Rule& rule) { return rule.uid == peer.uid; })) return own;
  const std::vector<gid_t> groups = user ? user->groups : std::vector<gid_t>{peer.gid};
  const auto is_of_group = [&](const Rule& rule) {
    return rule.gid && std::find(groups.begin(), groups.end(), *rule.gid) != groups.end();
  };
  if (const Rule* of_group = first(is_of_group)) return of_group;
  return first([](const Rule& rule) { return !rule.uid && !rule.gid; });
}

bool Allows(const config::CallerRule& rule, const std::string& model) {
  return !rule.models ||
         std::any_of(rule.models->begin(), rule.models->end(),
                     [&](const std::string& pattern) { return Matches(pattern, model); });
}

}  // namespace requestrouter::router
