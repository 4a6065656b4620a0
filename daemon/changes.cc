#include "daemon/changes.h"

#include <algorithm>
#include <array>
#include <map>
#include <string_view>
#include <tuple>

namespace requestrouter {
namespace {

using config::Settings;

// Compares all that the file says of the limits of a key's model.
bool SameLimits(const policy::LimitSet& one, const policy::LimitSet& other) {
  const auto tied = [](const policy::LimitSet& l) {
    return std::tie(l.rpm, l.tpm, l.itpm, l.otpm, l.rpd, l.tpd, l.max_in_flight, l.counts,
                    l.cached_counts, l.burst, l.guard);
  };
  return tied(one) == tied(other);
}

// Compares all that the file says of a key, but not where in the file it is said.
bool SameKey(const config::Key& one, const config::Key& other) {
  const auto tied = [](const config::Key& k) {
    return std::tie(k.provider, k.quota_group, k.tier, k.priority, k.active, k.secret);
  };
  return tied(one) == tied(other) &&
         std::equal(one.models.begin(), one.models.end(), other.models.begin(), other.models.end(),
                    [](const config::ModelOfKey& a, const config::ModelOfKey& b) {
                      return a.name == b.name && SameLimits(a.limits, b.limits);
                    });
}

template <typename T, typename Same>
void Compare(const std::string& what, const std::map<std::string, T>& before,
             const std::map<std::string, T>& after, Same same, std::vector<std::string>& changes) {
  for (const auto& [name, value] : after) {
    const auto old = before.find(name);
    if (old == before.end()) {
      changes.push_back(what + " " + name + " added");
    } else if (!same(old->second, value)) {
      changes.push_back(what + " " + name + " changed");
    }
  }
  for (const auto& [name, value] : before) {
    if (!after.contains(name)) changes.push_back(what + " " + name + " removed");
  }
}

std::map<std::string, config::Key> ById(const std::vector<config::Key>& keys) {
  std::map<std::string, config::Key> by_id;
  for (const config::Key& key : keys) by_id.emplace(key.key_id, key);
  return by_id;
}

template <auto Member>
bool Same(const Settings& one, const Settings& other) {
  return one.*Member == other.*Member;
}

struct Setting {
  std::string_view name;
  bool (*same)(const Settings&, const Settings&);
  bool at_start = false;  // read then, and not again
};

constexpr std::array<Setting, 31> kSettings = {{
    {"max_retries", Same<&Settings::max_retries>},
    {"base_backoff_ms", Same<&Settings::base_backoff>},
    {"max_backoff_ms", Same<&Settings::max_backoff>},
    {"enable_fallback", Same<&Settings::enable_fallback>},
    {"fallback_saves_ms", Same<&Settings::fallback_saves>},
    {"conversation_ttl_seconds", Same<&Settings::conversation_ttl>},
    {"max_waiting", Same<&Settings::max_waiting>},
    {"drain_ms", Same<&Settings::drain>, true},
    {"result_ttl_seconds", Same<&Settings::result_ttl>},
    {"max_results", Same<&Settings::max_results>, true},
    {"durability", Same<&Settings::durability_full>, true},
    {"max_payload_bytes", Same<&Settings::max_payload_bytes>, true},
    {"max_nesting", Same<&Settings::max_nesting>, true},
    {"history_tokens", Same<&Settings::history_tokens>},
    {"auto_medium_tokens", Same<&Settings::auto_medium_tokens>},
    {"auto_heavy_tokens", Same<&Settings::auto_heavy_tokens>},
    {"workload_model_mapping", Same<&Settings::workload_models>},
    {"user_rpm_default or user_burst_default", Same<&Settings::user_limit>},
    {"global_rpm_max or global_burst_max", Same<&Settings::host_limit>},
    {"admin_group", Same<&Settings::admin_group>},
    {"log_level", Same<&Settings::log_level>},
    {"log_format", Same<&Settings::log_json>},
    {"log_file", Same<&Settings::log_file>},
    {"log_file_bytes", Same<&Settings::log_file_bytes>},
    {"log_files", Same<&Settings::log_files>},
    {"metrics_listen", Same<&Settings::metrics_listen>, true},
    {"secret_store", Same<&Settings::secret_store>},
    {"secret_directory", Same<&Settings::secret_directory>},
    {"secret_command", Same<&Settings::secret_command>},
    {"secret_timeout_ms", Same<&Settings::secret_timeout>},
    {"window_guard_ms", Same<&Settings::window_guard>},
}};

}  // namespace

std::vector<std::string> Changes(const config::Config& before, const config::Config& after) {
  std::vector<std::string> changes;
  Compare("key", ById(before.keys), ById(after.keys), SameKey, changes);
  Compare("provider", before.providers, after.providers, std::equal_to<>(), changes);
  Compare("model", before.models, after.models, std::equal_to<>(), changes);
  Compare("agent", before.agent_weights, after.agent_weights, std::equal_to<>(), changes);
  if (before.callers != after.callers) changes.emplace_back("callers changed");
  for (const Setting& setting : kSettings) {
    if (setting.same(before.settings, after.settings)) continue;
    changes.push_back("config." + std::string(setting.name) + " changed");
  }
  return changes;
}

std::vector<std::string> WaitingForARestart(const Settings& at_start, const Settings& now) {
  std::vector<std::string> warnings;
  for (const Setting& setting : kSettings) {
    if (!setting.at_start || setting.same(at_start, now)) continue;
    warnings.push_back("config." + std::string(setting.name) +
                       " is read at a start only: restart routerd for the new value to hold");
  }
  return warnings;
}

}  // namespace requestrouter
