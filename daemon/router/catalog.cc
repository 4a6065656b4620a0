#include "daemon/router/catalog.h"

#include <algorithm>

#include "daemon/config/fields.h"
#include "daemon/router/day_reset.h"

namespace requestrouter::router {
namespace {

const std::vector<std::string> kEveryCapability(config::kCapabilities.begin(),
                                                config::kCapabilities.end());

std::optional<policy::BucketSpec> ToBucket(const std::optional<config::Bucket>& bucket) {
  if (!bucket) return std::nullopt;
  return policy::BucketSpec{bucket->per_minute, bucket->burst};
}

std::vector<std::string> MappedModels(const config::Settings& settings, const char* tier) {
  const auto found = settings.workload_models.find(tier);
  return found == settings.workload_models.end() ? std::vector<std::string>{} : found->second;
}

}  // namespace

Catalog::Catalog(config::Config config, Secrets secrets)
    : config_(std::move(config)), secrets_(std::move(secrets)), rules_(config_.callers) {
  for (const auto& [name, provider] : config_.providers) {
    providers_[name] = std::make_shared<const upstream::Provider>(provider.http);
  }
  for (const config::Key& key : config_.keys) {
    keys_.emplace(key.key_id, &key);
    const auto provider = providers_.find(key.provider);
    if (!key.active || provider == providers_.end()) continue;
    for (const config::ModelOfKey& model : key.models) {
      auto& providers = by_model_[model.name];
      if (providers.empty()) models_.push_back(model.name);
      const bool is_known = std::any_of(providers.begin(), providers.end(), [&](const auto& known) {
        return known->kind == provider->second->kind;
      });
      if (!is_known) providers.push_back(provider->second);
    }
  }
}

std::shared_ptr<const Catalog> Catalog::WithSecret(
    const std::string& key_id, std::shared_ptr<const secrets::Secret> secret) const {
  Secrets secrets = secrets_;
  secrets[key_id] = std::move(secret);
  return std::make_shared<const Catalog>(config_, std::move(secrets));
}

const config::Key* Catalog::FindKey(std::string_view key_id) const {
  const auto found = keys_.find(key_id);
  return found == keys_.end() ? nullptr : found->second;
}

std::shared_ptr<const secrets::Secret> Catalog::SecretOf(const std::string& key_id) const {
  const auto found = secrets_.find(key_id);
  return found == secrets_.end() ? nullptr : found->second;
}

std::shared_ptr<const upstream::Provider> Catalog::ProviderOf(const std::string& key_id) const {
  const config::Key* key = FindKey(key_id);
  if (!key) return nullptr;
  const auto found = providers_.find(key->provider);
  return found == providers_.end() ? nullptr : found->second;
}

std::optional<std::int64_t> Catalog::ContextOf(const std::string& model) const {
  const auto found = config_.models.find(model);
  return found == config_.models.end() ? std::nullopt : found->second.context_tokens;
}

std::optional<std::int64_t> Catalog::ContextFor(const std::string& model) const {
  if (by_model_.contains(model)) return ContextOf(model);
  std::optional<std::int64_t> largest;
  for (const std::string& served : models_) {
    const auto context = ContextOf(served);
    if (!context) return std::nullopt;
    largest = std::max(largest, context);
  }
  return largest;
}

std::optional<double> Catalog::CostOf(const std::string& model,
                                      const ipc::TokenUsage& tokens) const {
  const auto found = config_.models.find(model);
  if (found == config_.models.end()) return std::nullopt;
  const config::Model& prices = found->second;
  if (!prices.input_usd_per_mtok || !prices.output_usd_per_mtok) return std::nullopt;
  const double cached_price = prices.cached_usd_per_mtok.value_or(*prices.input_usd_per_mtok);
  const auto fresh = static_cast<double>(tokens.input - tokens.cached);
  return (fresh * *prices.input_usd_per_mtok + static_cast<double>(tokens.cached) * cached_price +
          static_cast<double>(tokens.output) * *prices.output_usd_per_mtok) /
         1e6;
}

const std::vector<std::shared_ptr<const upstream::Provider>>& Catalog::ProvidersOf(
    const std::string& model) const {
  static const std::vector<std::shared_ptr<const upstream::Provider>> kNone;
  const auto found = by_model_.find(model);
  return found == by_model_.end() ? kNone : found->second;
}

std::vector<std::string> Catalog::CapabilitiesOf(const std::string& model) const {
  const auto found = config_.models.find(model);
  if (found == config_.models.end()) return kEveryCapability;
  return found->second.capabilities.value_or(kEveryCapability);
}

policy::KeySpec Catalog::ToKeySpec(const config::Key& key, const Clock& clock) const {
  policy::KeySpec spec;
  spec.key_id = key.key_id;
  spec.provider = key.provider;
  spec.quota_group = key.quota_group;
  spec.tier = key.tier;
  spec.priority = key.priority;
  spec.active = key.active;
  spec.has_secret = SecretOf(key.key_id) != nullptr;
  const auto provider = config_.providers.find(key.provider);
  for (const config::ModelOfKey& model : key.models) {
    spec.models.push_back({model.name, model.limits});
    if (provider != config_.providers.end()) {
      spec.models.back().limits.day_reset = MakeNextReset(provider->second.day_reset, clock);
    }
  }
  return spec;
}

policy::Config Catalog::ToPolicy(const Clock& clock) const {
  const config::Settings& settings = config_.settings;
  policy::Config result;
  for (const config::Key& key : config_.keys) result.keys.push_back(ToKeySpec(key, clock));
  result.light_models = MappedModels(settings, "light");
  result.medium_models = MappedModels(settings, "medium");
  result.heavy_models = MappedModels(settings, "heavy");
  result.auto_medium_tokens = settings.auto_medium_tokens;
  result.auto_heavy_tokens = settings.auto_heavy_tokens;
  result.enable_fallback = settings.enable_fallback;
  result.fallback_saves = settings.fallback_saves;
  result.max_waiting = static_cast<std::size_t>(settings.max_waiting);
  result.retry.max_retries = settings.max_retries;
  result.retry.base = settings.base_backoff;
  result.retry.cap = settings.max_backoff;
  result.user_limit = ToBucket(settings.user_limit);
  result.host_limit = ToBucket(settings.host_limit);
  result.agent_weights = config_.agent_weights;
  for (const config::CallerRule& rule : config_.callers) {
    if (rule.uid && rule.weight) result.uid_weights.emplace(*rule.uid, *rule.weight);
  }
  return result;
}

}  // namespace requestrouter::router
