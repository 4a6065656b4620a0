#include "daemon/policy/key_pool.h"

#include <algorithm>

// What operators see of keys, and do to them.
namespace requestrouter::policy {

KeyStatus KeyPool::StatusOf(const KeyState& key, Instant now) const {
  KeyStatus status;
  status.key_id = key.spec.key_id;
  status.in_flight = key.in_flight;
  status.last_error = key.last_error;
  status.disabled_by_operator = key.disabled_by_operator;
  status.state = key.health.state(now);
  if (status.state != KeyStateName::kReady) status.cooldown = key.health.cooldown();
  std::size_t cells = 0;
  if (const auto of = cells_of_.find(&key); of != cells_of_.end()) {
    for (const CellId cell : of->second) {
      const QuotaState& quota = *At(cell).quota;
      ++cells;
      status.usage.push_back(quota.quota.Usage(now));
      status.usage.back().model = quota.model;
      const KeyStateName state = quota.health.state(now);
      if (state == KeyStateName::kReady) continue;
      status.model_cooldowns.push_back({quota.model, state, quota.health.cooldown()});
    }
  }
  if (status.state == KeyStateName::kReady && cells > 0 && status.model_cooldowns.size() == cells) {
    const auto first = std::min_element(
        status.model_cooldowns.begin(), status.model_cooldowns.end(),
        [](const auto& a, const auto& b) { return a.cooldown.until < b.cooldown.until; });
    status.state = first->state;
    status.cooldown = first->cooldown;
  }
  if (key.disabled_by_operator) {
    status.state = KeyStateName::kDisabled;
    status.cooldown = Cooldown{kNever, "disabled by operator", "operator", 0};
  }
  if (!key.spec.has_secret) status.state = KeyStateName::kNoSecret;
  return status;
}

std::vector<KeyStatus> KeyPool::Keys(Instant now) const {
  std::vector<KeyStatus> all;
  for (const std::string& key_id : key_order_) {
    all.push_back(StatusOf(*keys_.find(key_id)->second, now));
  }
  return all;
}

std::optional<KeyStatus> KeyPool::Key(std::string_view key_id, Instant now) const {
  const auto found = keys_.find(key_id);
  if (found == keys_.end()) return std::nullopt;
  return StatusOf(*found->second, now);
}

bool KeyPool::Reset(std::string_view key_id, bool counters) {
  KeyState* key = FindKey(key_id);
  if (!key) return false;
  key->health.Reset();
  Mark(key->changed);
  key->provider->breaker.Reset();
  Mark(key->provider->changed);
  for (const CellId cell : cells_of_[key]) {
    Cell& of = models_[cell.model].cells[cell.index];
    of.excluded_until = Instant::min();
    of.quota->health.Reset();
    if (counters) of.quota->quota.Clear();
    MarkChanged(*of.quota);
    Touch(nullptr, of.quota.get(), nullptr);
  }
  Touch(key, nullptr, key->provider.get());
  return true;
}

bool KeyPool::SetEnabled(std::string_view key_id, bool enabled, Instant now) {
  KeyState* key = FindKey(key_id);
  if (!key) return false;
  key->disabled_by_operator = !enabled;
  if (enabled && key->health.state(now) == KeyStateName::kDisabled) key->health.Reset();
  Mark(key->changed);
  Touch(key, nullptr, nullptr);
  return true;
}

void KeyPool::SetHasSecret(std::string_view key_id, bool has_secret) {
  KeyState* key = FindKey(key_id);
  if (!key) return;
  key->spec.has_secret = has_secret;
  Touch(key, nullptr, nullptr);
}

}  // namespace requestrouter::policy
