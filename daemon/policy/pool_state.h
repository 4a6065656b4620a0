#pragma once

#include <compare>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "daemon/policy/health.h"
#include "daemon/policy/pool_config.h"
#include "daemon/policy/provider_breaker.h"
#include "daemon/policy/quota.h"
#include "daemon/policy/types.h"

// What the key pool knows of keys, quotas and providers, and the words in which it is asked.
namespace requestrouter::policy {

struct ProviderState {
  std::string name;
  ProviderBreaker breaker;
  bool changed = false;  // since TakeChanged
};

// One model of one quota group: what its limits count, and what its provider said of it.
struct QuotaState {
  std::string group;
  std::string model;
  Quota quota;
  Health health;
  bool changed = false;  // since TakeChanged
};

struct KeyState {
  KeySpec spec;
  std::shared_ptr<ProviderState> provider;
  Health health;
  bool disabled_by_operator = false;
  bool changed = false;  // since TakeChanged
  std::int64_t in_flight = 0;
  std::string last_error;
};

bool IsDisabled(const KeyState& key, Instant now);
// Active, with a secret, and not disabled: time alone can make it ready.
bool IsInService(const KeyState& key);

// As what is persisted of their health goes by.
std::string NameOf(const ProviderState& provider);
std::string NameOf(const QuotaState& quota);

// An attempt under way. Holds what it needs to end, also when a reload has removed the key.
struct Admission {
  std::shared_ptr<KeyState> key;
  std::shared_ptr<QuotaState> quota;
  Reservation reservation;
  Health::Pass key_pass, quota_pass, provider_pass;
};

// Models to choose from: index of the model, the tier that its keys must be tagged with, and the
// only key that may be used. Valid until Configure.
struct Choice {
  static constexpr std::optional<Tier> kAnyTier = std::nullopt;
  std::uint32_t model = 0;
  std::optional<Tier> tier = kAnyTier;
  const KeyState* key = nullptr;  // null: any
  bool operator==(const Choice&) const = default;
  auto operator<=>(const Choice&) const = default;
};
using Choices = std::vector<Choice>;  // the preferred ones first

// A key for one of its models. Valid until Configure.
struct CellId {
  std::uint32_t model = 0;
  std::uint32_t index = 0;
  bool operator==(const CellId&) const = default;
  auto operator<=>(const CellId&) const = default;
};

// A key with one of its models that an attempt of the present round has used already.
using Tried = std::vector<std::pair<const KeyState*, const QuotaState*>>;
bool WasTried(const Tried& tried, const KeyState& key, const QuotaState& quota);

struct Wish {
  const Demand& demand;
  std::string_view preferred_key;  // the conversation's last; may be empty
  const Tried& tried;
  bool retry_due = false;  // may be a provider's trial
};

}  // namespace requestrouter::policy
