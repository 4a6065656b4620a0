#include "daemon/ops/state.h"

#include <array>
#include <string>

#include "daemon/router/key_states.h"
#include "requestrouter_version.h"

namespace requestrouter::ops {
namespace {

using policy::KeyStateName;
using prometheus::MetricFamily;
using prometheus::MetricType;

constexpr std::array kStates = {KeyStateName::kReady, KeyStateName::kCooling, KeyStateName::kTrial,
                                KeyStateName::kDisabled, KeyStateName::kNoSecret};

double EpochSeconds(const State& state, policy::Instant instant) {
  return static_cast<double>(state.wall) / 1e3 +
         std::chrono::duration<double>(instant - state.now).count();
}

struct KeyFamilies {
  MetricFamily up = Gauge("requestrouter_key_up", "Whether the key can be used now.");
  MetricFamily state = Gauge("requestrouter_key_state", "1 for the state that the key is in.");
  MetricFamily in_flight = Gauge("requestrouter_key_in_flight", "Attempts under way.");
  MetricFamily expiry = Gauge("requestrouter_key_cooldown_expiry_timestamp_seconds",
                              "When the key's cooldown ends; absent where it has none.");
  MetricFamily model_expiry =
      Gauge("requestrouter_key_model_cooldown_expiry_timestamp_seconds",
            "When the cooldown of one of the key's models ends; absent where it has none.");
  MetricFamily used =
      Gauge("requestrouter_key_quota_used", "What counts against the limit at present.");
  MetricFamily limit = Gauge("requestrouter_key_quota_limit", "How much the window may hold.");
  MetricFamily reset =
      Gauge("requestrouter_key_quota_reset_timestamp_seconds", "When a day's limit begins anew.");
};

void AddWindow(KeyFamilies& families, const State& state, const std::string& key_id,
               const std::string& model, const char* window, const policy::Gauge& gauge) {
  const Labels labels = {{"key", key_id}, {"model", model}, {"window", window}};
  Add(families.used, labels, static_cast<double>(gauge.used));
  Add(families.limit, labels, static_cast<double>(gauge.limit));
  if (gauge.resets_at && *gauge.resets_at != policy::kNever) {
    Add(families.reset, labels, EpochSeconds(state, *gauge.resets_at));
  }
}

void AddUsage(KeyFamilies& families, const State& state, const policy::KeyStatus& key) {
  for (const policy::ModelUsage& usage : key.usage) {
    ForEachWindow(usage, [&](const char* window, const policy::Gauge& gauge) {
      AddWindow(families, state, key.key_id, usage.model, window, gauge);
    });
  }
}

void AddCooldowns(KeyFamilies& families, const State& state, const policy::KeyStatus& key) {
  if (key.state == KeyStateName::kCooling && key.cooldown) {
    Add(families.expiry, {{"key", key.key_id}}, EpochSeconds(state, key.cooldown->until));
  }
  for (const policy::ModelCooldown& one : key.model_cooldowns) {
    if (one.state != KeyStateName::kCooling) continue;
    Add(families.model_expiry, {{"key", key.key_id}, {"model", one.model}},
        EpochSeconds(state, one.cooldown.until));
  }
}

Families OfKeys(const State& state) {
  KeyFamilies families;
  for (const policy::KeyStatus& key : state.keys) {
    Add(families.up, {{"key", key.key_id}}, key.state == KeyStateName::kReady ? 1 : 0);
    for (const KeyStateName name : kStates) {
      Add(families.state, {{"key", key.key_id}, {"state", std::string(router::Name(name))}},
          key.state == name ? 1 : 0);
    }
    Add(families.in_flight, {{"key", key.key_id}}, static_cast<double>(key.in_flight));
    AddCooldowns(families, state, key);
    AddUsage(families, state, key);
  }
  Families all;
  for (MetricFamily* family :
       {&families.up, &families.state, &families.in_flight, &families.expiry,
        &families.model_expiry, &families.used, &families.limit, &families.reset}) {
    all.push_back(std::move(*family));
  }
  return all;
}

MetricFamily Number(std::string name, std::string help, double value) {
  return Single(MetricType::Gauge, std::move(name), std::move(help), value);
}

MetricFamily BuildInfo() {
  MetricFamily family = Gauge("requestrouter_build_info", "1, for the version that runs.");
  Add(family, {{"version", REQUESTROUTER_VERSION}}, 1);
  return family;
}

}  // namespace

Families ToFamilies(const State& state, const std::optional<storage::Size>& size) {
  Families families = {
      BuildInfo(),
      Number("requestrouter_healthy", "Whether requests can be served.", state.healthy ? 1 : 0),
      Number("requestrouter_storage_healthy", "Whether the database can be written.",
             state.storage_healthy ? 1 : 0),
      Number("requestrouter_uptime_seconds", "Since routerd started.",
             std::chrono::duration<double>(state.now - state.started).count()),
      Number("requestrouter_requests_waiting",
             "Requests that wait for capacity or an earlier turn.",
             static_cast<double>(state.waiting)),
      Number("requestrouter_requests_in_flight", "Requests at a provider.",
             static_cast<double>(state.in_flight)),
      Number("requestrouter_unwritten_requests",
             "Requests whose end the database has not taken yet.",
             static_cast<double>(state.unwritten)),
      Single(MetricType::Counter, "requestrouter_dropped_messages_total",
             "Messages that were dropped unanswered because nobody could be answered.",
             static_cast<double>(state.dropped_messages)),
      Single(MetricType::Counter, "requestrouter_lost_log_lines_total",
             "Log lines that were lost, at the least: the log's file or journal did not keep up, "
             "or failed.",
             static_cast<double>(state.lost_log_lines)),
  };
  Append(families, OfKeys(state));
  if (size) {
    families.push_back(Number("requestrouter_conversations", "Conversations that are stored.",
                              static_cast<double>(size->conversations)));
    families.push_back(Number("requestrouter_storage_size_bytes", "Size of the database.",
                              static_cast<double>(size->bytes)));
  }
  return families;
}

}  // namespace requestrouter::ops
