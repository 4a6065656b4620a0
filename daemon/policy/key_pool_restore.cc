#include "daemon/policy/key_pool.h"

// What an earlier run left.
namespace requestrouter::policy {

void KeyPool::RestoreAttempts(std::string_view group, std::string_view model,
                              const Amounts& counted, Instant at) {
  QuotaState* quota = FindQuota(group, model);
  if (!quota) return;
  quota->quota.RestoreAttempts(counted, at);
  Touch(nullptr, quota, nullptr);
}

void KeyPool::RestoreFullWindows(Instant at, Instant now) {
  for (const auto& [name, quota] : quotas_) {
    quota->quota.RestoreFullWindows(at, now);
    Touch(nullptr, quota.get(), nullptr);
  }
}

void KeyPool::RestoreDay(std::string_view group, std::string_view model, const Amounts& counted,
                         Instant at, Instant now) {
  QuotaState* quota = FindQuota(group, model);
  if (!quota) return;
  quota->quota.RestoreDay(counted, at, now);
  Touch(nullptr, quota, nullptr);
}

void KeyPool::RestoreHealth(const KnownHealth& known, Instant now) {
  if (KeyState* key = FindKey(known.of)) {
    key->disabled_by_operator = known.disabled_by_operator;
    key->health.Restore(known.state, known.cooldown, now);
    Touch(key, nullptr, nullptr);
  }
  for (const auto& [name, quota] : quotas_) {
    if (NameOf(*quota) != known.of) continue;
    quota->health.Restore(known.state, known.cooldown, now);
    Touch(nullptr, quota.get(), nullptr);
  }
  for (const auto& [name, provider] : providers_) {
    if (NameOf(*provider) != known.of) continue;
    provider->breaker.Restore(known.state, known.cooldown, now);
    Touch(nullptr, nullptr, provider.get());
  }
}

}  // namespace requestrouter::policy
