#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/policy/types.h"

// What operators see of keys and quotas.
namespace requestrouter::policy {

enum class KeyStateName : std::uint8_t { kReady, kCooling, kTrial, kDisabled, kNoSecret };

struct Cooldown {
  Instant until{};
  std::string reason;
  std::string source;
  std::int64_t strikes = 0;
};

struct Gauge {
  std::int64_t used = 0;
  std::int64_t limit = 0;
  std::optional<Instant> resets_at;  // day limits
};

struct ModelUsage {
  std::string model;
  std::optional<Gauge> rpm, tpm, itpm, otpm, rpd, tpd;
};

// Calls `with(name, gauge)` for each window of `usage` that is counted.
template <typename With>
void ForEachWindow(const ModelUsage& usage, With with) {
  const auto call = [&](const char* name, const std::optional<Gauge>& gauge) {
    if (gauge) with(name, *gauge);
  };
  call("rpm", usage.rpm);
  call("tpm", usage.tpm);
  call("itpm", usage.itpm);
  call("otpm", usage.otpm);
  call("rpd", usage.rpd);
  call("tpd", usage.tpd);
}

// A model of a key whose quota its provider declared exhausted. Such a cooldown belongs to the
// quota, so every key of the group has it.
struct ModelCooldown {
  std::string model;
  KeyStateName state = KeyStateName::kCooling;  // or kTrial
  Cooldown cooldown;
};

// `state` and `cooldown` are the key's own, or, where each of its models is cooling, those of the
// model that ends first.
struct KeyStatus {
  std::string key_id;
  KeyStateName state = KeyStateName::kReady;
  std::optional<Cooldown> cooldown;
  bool disabled_by_operator = false;  // whatever the state shows
  std::vector<ModelUsage> usage;
  std::vector<ModelCooldown> model_cooldowns;
  std::int64_t in_flight = 0;
  std::string last_error;  // the last fault's message; empty: none
};

// What a restart must bring back: how attempts have been going with a key, with a provider or with
// one model of a quota group.
struct KnownHealth {
  // The key's id, "provider/NAME" or "quota/GROUP MODEL". No key's id has a slash, and neither a
  // group's nor a model's name has a space.
  std::string of;
  KeyStateName state = KeyStateName::kReady;  // never kNoSecret
  Cooldown cooldown;                          // unless ready
  bool disabled_by_operator = false;          // a key, whatever its health
};

// Why a key was or was not chosen, at the time of asking. The names are valid until the keys
// change.
struct Considered {
  std::string_view key_id;
  std::string_view model;
  std::string_view verdict;  // static: "chosen", "cooling", "rpm", "disabled", "no_secret", ...
  std::optional<Instant> until;
};

}  // namespace requestrouter::policy
