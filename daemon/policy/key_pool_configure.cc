#include "daemon/policy/key_pool.h"

#include <algorithm>

#include "daemon/policy/health_rules.h"

// The keys of a configuration become cells; what is known of them is kept.
namespace requestrouter::policy {
namespace {

constexpr std::size_t kMostFormer = 10'000;  // quotas of keys that are gone

}  // namespace

void KeyPool::Configure(const Config& config, Instant now) {
  if (former_quotas_.size() > kMostFormer) {
    former_keys_.clear();
    former_quotas_.clear();
  }
  former_keys_.merge(keys_);
  former_quotas_.merge(quotas_);
  models_.clear();
  model_index_.clear();
  key_order_.clear();
  cells_of_.clear();
  for (const KeySpec& spec : config.keys) {
    if (const auto old = former_keys_.find(spec.key_id); old != former_keys_.end()) {
      keys_.insert(former_keys_.extract(old));
    }
    for (const KeyModel& model : spec.models) {
      const auto old = former_quotas_.find({spec.quota_group, model.name});
      if (old != former_quotas_.end()) quotas_.insert(former_quotas_.extract(old));
    }
    AddKey(spec, config.retry, now);
  }
  cell_count_ = 0;
  for (Model& model : models_) {
    CountCapacity(model);
    cell_count_ += model.cells.size();
  }
  ++version_;
}

void KeyPool::AddKey(const KeySpec& spec, const RetryPolicy& retry, Instant now) {
  auto& provider = providers_[spec.provider];
  if (!provider) {
    provider = std::make_shared<ProviderState>(
        ProviderState{spec.provider, ProviderBreaker(retry.base, kFailureCooldownCap)});
  }
  auto& key = keys_[spec.key_id];
  if (!key) key = std::make_shared<KeyState>();
  key->spec = spec;
  key->provider = provider;
  key->health.Renew();
  if (key->health.state(now) == KeyStateName::kDisabled) {
    key->health.Reset();
    Mark(key->changed);
  }
  key_order_.push_back(spec.key_id);
  for (const KeyModel& served : spec.models) AddModel(served, key, now);
}

void KeyPool::AddModel(const KeyModel& served, const std::shared_ptr<KeyState>& key, Instant now) {
  const KeySpec& spec = key->spec;
  auto& quota = quotas_[{spec.quota_group, served.name}];
  if (quota) {
    quota->quota.SetLimits(served.limits, now);
  } else {
    quota = std::make_shared<QuotaState>(
        QuotaState{spec.quota_group, served.name, Quota(served.limits), {}});
  }
  const auto [entry, fresh] =
      model_index_.try_emplace(served.name, static_cast<std::uint32_t>(models_.size()));
  if (fresh) models_.push_back({served.name, {}, {}, {}, {}});
  Model& model = models_[entry->second];
  const CellId cell{entry->second, static_cast<std::uint32_t>(model.cells.size())};
  if (spec.tier) model.tiers[static_cast<std::size_t>(*spec.tier)] = true;
  model.cells.push_back({key, quota, Instant::min(), spec.tier});
  model.order.Add(spec.priority);
  cells_of_[key.get()].push_back(cell);
  cells_of_[quota.get()].push_back(cell);
  cells_of_[key->provider.get()].push_back(cell);
}

void KeyPool::CountCapacity(Model& model) const {
  std::vector<const QuotaState*> seen;
  for (const Cell& cell : model.cells) seen.push_back(cell.quota.get());
  std::sort(seen.begin(), seen.end());
  seen.erase(std::unique(seen.begin(), seen.end()), seen.end());
  for (std::size_t i = 0; i < kMinuteKinds; ++i) {
    for (const QuotaState* quota : seen) {
      const SlidingWindow* window = quota->quota.Window(static_cast<LimitKind>(i));
      if (!window) {
        model.capacity[i] = 0;
        break;
      }
      model.capacity[i] += window->limit();
    }
  }
}

}  // namespace requestrouter::policy
