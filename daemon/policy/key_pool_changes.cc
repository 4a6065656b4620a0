#include "daemon/policy/key_pool.h"

#include <utility>

// What has changed of keys, quotas and providers, to be told and to be persisted.
namespace requestrouter::policy {
namespace {

KnownHealth Known(std::string of, KeyStateName state, const Cooldown& cooldown) {
  return {std::move(of), state, state == KeyStateName::kReady ? Cooldown() : cooldown};
}

}  // namespace

// What operators are shown of a key changes with its quotas.
void KeyPool::MarkChanged(QuotaState& quota) {
  Mark(quota.changed);
  const auto cells = cells_of_.find(&quota);
  if (cells == cells_of_.end()) return;
  for (const CellId cell : cells->second) Mark(At(cell).key->changed);
}

std::vector<KnownHealth> KeyPool::ChangedHealth(Instant now) const {
  std::vector<KnownHealth> changed;
  if (!any_changed_) return changed;
  for (const std::string& key_id : key_order_) {
    const KeyState& key = *keys_.find(key_id)->second;
    if (!key.changed) continue;
    changed.push_back(Known(key_id, key.health.state(now), key.health.cooldown()));
    changed.back().disabled_by_operator = key.disabled_by_operator;
  }
  for (const auto& [name, quota] : quotas_) {
    if (!quota->changed) continue;
    changed.push_back(Known(NameOf(*quota), quota->health.state(now), quota->health.cooldown()));
  }
  for (const auto& [name, provider] : providers_) {
    if (!provider->changed) continue;
    const ProviderBreaker& breaker = provider->breaker;
    changed.push_back(Known(NameOf(*provider), breaker.state(now), breaker.cooldown()));
  }
  return changed;
}

std::vector<KeyStatus> KeyPool::TakeChanged(Instant now) {
  std::vector<KeyStatus> changed;
  if (!std::exchange(any_changed_, false)) return changed;
  for (const auto& [name, quota] : quotas_) quota->changed = false;
  for (const std::string& key_id : key_order_) {
    KeyState& key = *keys_[key_id];
    if (std::exchange(key.changed, false)) changed.push_back(StatusOf(key, now));
  }
  for (const auto& [name, provider] : providers_) {
    if (!std::exchange(provider->changed, false)) continue;
    KeyStatus status;
    status.key_id = NameOf(*provider);
    status.state = provider->breaker.state(now);
    if (provider->breaker.open(now)) status.cooldown = provider->breaker.cooldown();
    changed.push_back(std::move(status));
  }
  return changed;
}

}  // namespace requestrouter::policy
