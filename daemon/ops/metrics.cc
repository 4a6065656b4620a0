#include "daemon/ops/metrics.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include "daemon/router/key_states.h"

namespace requestrouter::ops {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using Labels = std::vector<ClientMetric::Label>;

MetricFamily Gauge(std::string name, std::string help) {
  MetricFamily family;
  family.name = std::move(name);
  family.help = std::move(help);
  family.type = prometheus::MetricType::Gauge;
  return family;
}

void Add(MetricFamily& family, Labels labels, double value) {
  ClientMetric metric;
  metric.label = std::move(labels);
  metric.gauge.value = value;
  family.metric.push_back(std::move(metric));
}

MetricFamily Single(std::string name, std::string help, double value) {
  MetricFamily family = Gauge(std::move(name), std::move(help));
  Add(family, {}, value);
  return family;
}

void AddWindow(MetricFamily& used, MetricFamily& limit, const std::string& key_id,
               const std::string& model, const char* window,
               const std::optional<policy::Gauge>& gauge) {
  if (!gauge) return;
  const Labels labels = {{"key", key_id}, {"model", model}, {"window", window}};
  Add(used, labels, static_cast<double>(gauge->used));
  Add(limit, labels, static_cast<double>(gauge->limit));
}

void AddKeys(std::vector<MetricFamily>& families, const std::vector<policy::KeyStatus>& keys,
             const router::Clock& clock) {
  MetricFamily up = Gauge("requestrouter_key_up", "Whether the key can be used now.");
  MetricFamily state = Gauge("requestrouter_key_state", "1 for the state that the key is in.");
  MetricFamily used = Gauge("requestrouter_key_quota_used", "Used within the window.");
  MetricFamily limit = Gauge("requestrouter_key_quota_limit", "Allowed within the window.");
  MetricFamily expiry = Gauge("requestrouter_key_cooldown_expiry_timestamp_seconds",
                              "When the key's cooldown ends.");
  for (const policy::KeyStatus& key : keys) {
    const bool ready = key.state == policy::KeyStateName::kReady;
    Add(up, {{"key", key.key_id}}, ready ? 1 : 0);
    Add(state, {{"key", key.key_id}, {"state", std::string(router::Name(key.state))}}, 1);
    if (key.state == policy::KeyStateName::kCooling && key.cooldown) {
      Add(expiry, {{"key", key.key_id}},
          static_cast<double>(router::WallAt(clock, key.cooldown->until)) / 1e3);
    }
    for (const policy::ModelUsage& usage : key.usage) {
      AddWindow(used, limit, key.key_id, usage.model, "rpm", usage.rpm);
      AddWindow(used, limit, key.key_id, usage.model, "tpm", usage.tpm);
      AddWindow(used, limit, key.key_id, usage.model, "itpm", usage.itpm);
      AddWindow(used, limit, key.key_id, usage.model, "otpm", usage.otpm);
      AddWindow(used, limit, key.key_id, usage.model, "rpd", usage.rpd);
      AddWindow(used, limit, key.key_id, usage.model, "tpd", usage.tpd);
    }
  }
  for (MetricFamily* family : {&up, &state, &used, &limit, &expiry}) {
    families.push_back(std::move(*family));
  }
}

}  // namespace

std::string MetricsText(const ipc::Value& health, const std::vector<policy::KeyStatus>& keys,
                        const router::Clock& clock) {
  std::vector<MetricFamily> families;
  families.push_back(Single("requestrouter_healthy", "Whether requests can be served.",
                            health["healthy"].get<bool>() ? 1 : 0));
  families.push_back(Single("requestrouter_storage_healthy", "Whether the database can be written.",
                            health["conversation_store"].get<bool>() ? 1 : 0));
  families.push_back(Single("requestrouter_uptime_seconds", "Since routerd started.",
                            health["uptime_ms"].get<double>() / 1e3));
  families.push_back(Single("requestrouter_requests_waiting", "Requests that wait for capacity.",
                            health["queue"]["waiting"].get<double>()));
  families.push_back(Single("requestrouter_requests_in_flight", "Requests at a provider.",
                            health["queue"]["in_flight"].get<double>()));
  AddKeys(families, keys, clock);
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace requestrouter::ops
