#include "daemon/policy/pool_state.h"

#include <algorithm>

namespace requestrouter::policy {

bool IsDisabled(const KeyState& key, Instant now) {
  return key.disabled_by_operator || key.health.state(now) == KeyStateName::kDisabled;
}

bool IsInService(const KeyState& key) {
  return key.spec.active && key.spec.has_secret && !IsDisabled(key, Instant::min());
}

std::string NameOf(const ProviderState& provider) { return "provider/" + provider.name; }
std::string NameOf(const QuotaState& quota) { return "quota/" + quota.group + ' ' + quota.model; }

bool WasTried(const Tried& tried, const KeyState& key, const QuotaState& quota) {
  return std::any_of(tried.begin(), tried.end(),
                     [&](const auto& one) { return one.first == &key && one.second == &quota; });
}

}  // namespace requestrouter::policy
