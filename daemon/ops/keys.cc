#include "daemon/ops/operations.h"
#include "daemon/router/errors.h"
#include "daemon/router/key_states.h"

namespace requestrouter::ops {
namespace {

ipc::Value ToValue(const policy::Gauge& gauge, const router::Clock& clock) {
  ipc::Value value = {{"used", gauge.used}, {"limit", gauge.limit}};
  if (gauge.resets_at) {
    value["resets_at"] = router::Timestamp(router::WallAt(clock, *gauge.resets_at));
  }
  return value;
}

ipc::Value ToValue(const policy::ModelUsage& usage, const router::Clock& clock) {
  ipc::Value value = ipc::Value::object();
  ForEachWindow(usage, [&](const char* name, const policy::Gauge& gauge) {
    value[name] = ToValue(gauge, clock);
  });
  return value;
}

ipc::Value ToValue(const policy::Cooldown& cooldown, const router::Clock& clock) {
  const policy::Duration left = cooldown.until - clock.Steady();
  return {{"until", router::Timestamp(router::WallAt(clock, cooldown.until))},
          {"remaining_ms", router::WaitMs(left)},
          {"reason", cooldown.reason},
          {"source", cooldown.source}};
}

ipc::Value ToValue(const policy::KeyStatus& status, const config::Key& key,
                   const router::Clock& clock) {
  ipc::Value models = ipc::Value::array();
  for (const config::ModelOfKey& model : key.models) models.push_back(model.name);
  ipc::Value usage = ipc::Value::object();
  for (const policy::ModelUsage& model : status.usage) usage[model.model] = ToValue(model, clock);
  ipc::Value value = {{"key_id", key.key_id},        {"provider", key.provider},
                      {"models", std::move(models)}, {"quota_group", key.quota_group},
                      {"active", key.active},        {"state", router::Name(status.state)}};
  const bool cooling = status.state == policy::KeyStateName::kCooling;
  if (status.cooldown && cooling) value["cooldown"] = ToValue(*status.cooldown, clock);
  for (const policy::ModelCooldown& one : status.model_cooldowns) {
    if (one.state != policy::KeyStateName::kCooling) continue;
    value["model_cooldowns"][one.model] = ToValue(one.cooldown, clock);
  }
  value["usage"] = std::move(usage);
  value["in_flight"] = status.in_flight;
  if (!status.last_error.empty()) value["last_error"] = status.last_error;
  return value;
}

}  // namespace

void Operations::On(const Asker& asker, const ipc::KeysListRequest&) {
  ipc::Value keys = ipc::Value::array();
  for (const policy::KeyStatus& status : parts_.dispatcher.Keys(parts_.clock.Steady())) {
    if (const config::Key* key = catalog_->FindKey(status.key_id)) {
      keys.push_back(ToValue(status, *key, parts_.clock));
    }
  }
  Reply(asker, ipc::Value{{"keys", std::move(keys)}});
}

void Operations::On(const Asker& asker, const ipc::KeysResetRequest& request) {
  ReplyWhenStored(asker, ResetKeys(request));
}

ipc::Result<ipc::Value> Operations::ResetKeys(const ipc::KeysResetRequest& request) {
  const policy::Instant now = parts_.clock.Steady();
  ipc::Value reset = ipc::Value::array();
  for (const config::Key& key : catalog_->config().keys) {
    if (!request.all && key.key_id != request.key_id) continue;
    parts_.dispatcher.Reset(key.key_id, request.counters, now);
    if (request.counters) {
      parts_.store.Submit(storage::ForgetQuotaCounts{key.quota_group},
                          storage::Durability::kProcess, [](auto) {});
    }
    reset.push_back(key.key_id);
  }
  if (reset.empty() && !request.all) return tl::unexpected(router::NoSuchKey(request.key_id));
  parts_.keys.Record(policy::FaultKind::kNone);
  return ipc::Value{{"reset", std::move(reset)}};
}

void Operations::On(const Asker& asker, const ipc::KeysDisableRequest& request) {
  SetEnabled(asker, request.key_id, false);
}

void Operations::On(const Asker& asker, const ipc::KeysEnableRequest& request) {
  SetEnabled(asker, request.key_id, true);
}

void Operations::SetEnabled(const Asker& asker, const std::string& key_id, bool enabled) {
  const policy::Instant now = parts_.clock.Steady();
  if (!parts_.dispatcher.SetEnabled(key_id, enabled, now)) {
    return Reply(asker, tl::unexpected(router::NoSuchKey(key_id)));
  }
  parts_.keys.Record(policy::FaultKind::kNone);
  const auto status = parts_.dispatcher.Key(key_id, now);
  ReplyWhenStored(asker, ipc::Value{{"key_id", key_id}, {"state", router::Name(status->state)}});
}

// What an operator was told is on the disk. Where the disk fails it holds all the same, until the
// daemon ends.
void Operations::ReplyWhenStored(const Asker& asker, ipc::Result<ipc::Value> body) {
  parts_.store.Submit(
      storage::Flush{}, storage::Durability::kFull,
      Later<storage::Written>([this, asker, body = std::move(body)](auto) { Reply(asker, body); }));
}

}  // namespace requestrouter::ops
