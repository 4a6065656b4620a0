#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include <tl/expected.hpp>

#include "tests/support/sim/faults.h"
#include "tests/support/sim/ledger.h"
#include "tests/support/sim/limits.h"

namespace requestrouter::sim {

// One key as the provider issued it.
struct KeySpec {
  std::string secret;
  std::string group;                       // keys of one group share its limits; empty: none
  LimitSet limits;                         // of each model by itself
  std::map<std::string, LimitSet> models;  // the only ones that it serves; none: every one
  std::optional<Fault> fault;              // from the beginning, until cleared
};

// "SECRET" or "SECRET:rpm=10,tpm=250000,rpd=100,group=g,minute_ms=1000,counts=input". Limits: rpm,
// tpm, itpm, otpm, rpd, tpd. Fails with what is wrong, never with the secret.
tl::expected<KeySpec, std::string> ParseKeyFlag(const std::string& text);

// {"secret", "group"?, "models"?: ["name" or {"name", limits…}], limits…, "minute_ms"?, "day_ms"?,
//  "counts"?: "input|input+output|input+max_output", "fault"?: see ParseFault}
tl::expected<KeySpec, std::string> ParseKeyJson(const Json& json);

// The limits among the members of an object, on top of `base`.
tl::expected<LimitSet, std::string> ParseLimits(const Json& json, LimitSet base);

// One model of a key.
struct ModelUse {
  Quota* quota = nullptr;
  std::optional<Counts> counts;
  Counters counters;
};

struct Key {
  KeySpec spec;
  bool revoked = false;
  bool out_of_credit = false;
  Counters counters;
  std::map<std::string, ModelUse> models;  // those that were asked for
};

// All keys, and the limits that they share. A group's limits are those of the key that is used
// first.
class Keys {
 public:
  // With `accept_any`, keys that are not among `specs` exist too, without limits.
  Keys(const std::vector<KeySpec>& specs, bool accept_any);

  Key* Find(const std::string& secret);
  // nullptr: the key does not serve this model.
  ModelUse* Use(Key& key, const std::string& model);
  // Changes the limits of a key's models (all of them where `model` is empty), for the whole group.
  tl::expected<void, std::string> ChangeLimits(Key& key, const std::string& model,
                                               const Json& limits);
  // Per key: counters, and per model what was used of each limit, and what of it could have been
  // used in the time since the beginning.
  Json ToJson(Instant now, Millis elapsed) const;

 private:
  const LimitSet& LimitsOf(const Key& key, const std::string& model) const;

  bool accept_any_;
  std::unordered_map<std::string, Key> keys_;
  std::map<std::pair<std::string, std::string>, std::unique_ptr<Quota>> quotas_;  // group, model
};

}  // namespace requestrouter::sim
