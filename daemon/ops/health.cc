#include <algorithm>
#include <optional>
#include <string>

#include "daemon/ops/operations.h"
#include "requestrouter_version.h"

namespace requestrouter::ops {
namespace {

using policy::KeyStateName;

struct KeyCounts {
  std::int64_t total = 0;
  std::int64_t active = 0;   // active, with a secret, not disabled
  std::int64_t cooling = 0;  // of the active ones
};

KeyCounts Count(const std::vector<policy::KeyStatus>& keys, const router::Catalog& catalog) {
  KeyCounts counts;
  counts.total = static_cast<std::int64_t>(keys.size());
  for (const policy::KeyStatus& status : keys) {
    const config::Key* key = catalog.FindKey(status.key_id);
    const bool usable = key && key->active && status.state != KeyStateName::kDisabled &&
                        status.state != KeyStateName::kNoSecret;
    if (!usable) continue;
    ++counts.active;
    if (status.state == KeyStateName::kCooling) ++counts.cooling;
  }
  return counts;
}

std::string WorkloadOf(std::optional<policy::Tier> tier) {
  return tier ? std::string(policy::kTierNames.at(static_cast<std::size_t>(*tier))) : "";
}

}  // namespace

ipc::Value Operations::HealthBody() const {
  const KeyCounts counts = Count(parts_.dispatcher.Keys(parts_.clock.Steady()), *catalog_);
  const bool storage = parts_.chats.storage_ready();
  const bool keys = counts.active > counts.cooling;
  const auto uptime = router::ElapsedMs(parts_.clock.Steady() - parts_.started);
  return {
      {"healthy", storage && keys},
      {"version", REQUESTROUTER_VERSION},
      {"uptime_ms", uptime},
      {"timestamp", router::Timestamp(parts_.clock.Wall())},
      {"key_manager",
       {{"healthy", keys},
        {"total_keys", counts.total},
        {"active_keys", counts.active},
        {"keys_in_cooldown", counts.cooling}}},
      {"conversation_store", storage},
      {"storage", {{"healthy", storage}, {"engine", "sqlite"}}},
      {"queue",
       {{"waiting", parts_.chats.waiting_count()}, {"in_flight", parts_.chats.in_flight_count()}}},
  };
}

void Operations::On(const Asker& asker, const ipc::PingRequest&) {
  Reply(asker,
        ipc::Value{{"version", REQUESTROUTER_VERSION},
                   {"protocol", ipc::Value::array({1})},
                   {"uptime_ms", router::ElapsedMs(parts_.clock.Steady() - parts_.started)}});
}

void Operations::On(const Asker& asker, const ipc::HealthRequest&) { Reply(asker, HealthBody()); }

void Operations::On(const Asker& asker, const ipc::ModelsRequest&) {
  ipc::Value models = ipc::Value::array();
  for (const std::string& model : catalog_->models()) {
    std::int64_t keys = 0;
    std::string provider;
    for (const config::Key& key : catalog_->config().keys) {
      const bool serves = key.active && std::any_of(key.models.begin(), key.models.end(),
                                                    [&](const auto& m) { return m.name == model; });
      if (!serves) continue;
      ++keys;
      if (provider.empty()) provider = key.provider;
    }
    models.push_back({{"model", model},
                      {"provider", provider},
                      {"keys", keys},
                      {"workload", WorkloadOf(parts_.dispatcher.TierOf(model))},
                      {"available", parts_.dispatcher.IsAvailable(model, parts_.clock.Steady())},
                      {"capabilities", catalog_->CapabilitiesOf(model)}});
  }
  Reply(asker, ipc::Value{{"models", std::move(models)}});
}

}  // namespace requestrouter::ops
