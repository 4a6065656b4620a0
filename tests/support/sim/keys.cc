#include "tests/support/sim/keys.h"

#include <algorithm>

namespace requestrouter::sim {
namespace {

// What a limit could have given since the beginning: a whole window at once, and another one for
// each that has passed.
Json LimitJson(const Quota::State& state, Millis elapsed) {
  const std::int64_t allowed = state.value * (elapsed / state.length + 1);
  return {{"limit", state.value},
          {"used", state.used},
          {"window_ms", state.length.count()},
          {"taken", state.total},
          {"allowed", allowed},
          {"unused", std::max<std::int64_t>(0, allowed - state.total)}};
}

}  // namespace

Keys::Keys(const std::vector<KeySpec>& specs, bool accept_any) : accept_any_(accept_any) {
  for (const KeySpec& spec : specs) keys_[spec.secret].spec = spec;
}

Key* Keys::Find(const std::string& secret) {
  const auto found = keys_.find(secret);
  if (found != keys_.end()) return &found->second;
  if (!accept_any_ || secret.empty()) return nullptr;
  Key& key = keys_[secret];
  key.spec.secret = secret;
  return &key;
}

const LimitSet& Keys::LimitsOf(const Key& key, const std::string& model) const {
  const auto own = key.spec.models.find(model);
  return own == key.spec.models.end() ? key.spec.limits : own->second;
}

ModelUse* Keys::Use(Key& key, const std::string& model) {
  const auto known = key.models.find(model);
  if (known != key.models.end()) return &known->second;
  if (!key.spec.models.empty() && key.spec.models.count(model) == 0) return nullptr;
  const std::string& group = key.spec.group.empty() ? key.spec.secret : key.spec.group;
  std::unique_ptr<Quota>& quota = quotas_[{group, model}];
  const LimitSet& limits = LimitsOf(key, model);
  if (!quota) quota = std::make_unique<Quota>(limits);
  ModelUse& use = key.models[model];
  use.quota = quota.get();
  use.counts = limits.counts;
  return &use;
}

tl::expected<void, std::string> Keys::ChangeLimits(Key& key, const std::string& model,
                                                   const Json& changes) {
  const auto change = [&](LimitSet* limits) -> tl::expected<void, std::string> {
    auto parsed = ParseLimits(changes, *limits);
    if (!parsed) return tl::unexpected(parsed.error());
    *limits = *parsed;
    return {};
  };
  if (model.empty()) {
    if (auto changed = change(&key.spec.limits); !changed) return changed;
  }
  for (auto& [name, limits] : key.spec.models) {
    if (!model.empty() && name != model) continue;
    if (auto changed = change(&limits); !changed) return changed;
  }
  for (auto& [name, use] : key.models) {
    if (model.empty() || name == model) use.quota->Change(LimitsOf(key, name));
  }
  return {};
}

Json Keys::ToJson(Instant now, Millis elapsed) const {
  Json list = Json::array();
  for (const auto& [secret, key] : keys_) {
    Json one = {{"key", secret}};
    if (!key.spec.group.empty()) one["group"] = key.spec.group;
    one["revoked"] = key.revoked;
    one.update(sim::ToJson(key.counters));
    one["models"] = Json::object();
    for (const auto& [name, use] : key.models) {
      Json& model = one["models"][name];
      model = sim::ToJson(use.counters);
      model["limits"] = Json::object();
      for (const Quota::State& state : use.quota->States(now)) {
        model["limits"][NameOf(state.limit)] = LimitJson(state, elapsed);
      }
    }
    list.push_back(std::move(one));
  }
  return list;
}

}  // namespace requestrouter::sim
