#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "daemon/policy/types.h"

// What policy is configured with.
namespace requestrouter::policy {

struct KeyModel {
  std::string name;
  LimitSet limits;
};

struct KeySpec {
  std::string key_id;
  std::string provider;
  std::string quota_group;  // equal to key_id where the key has a quota of its own
  std::vector<KeyModel> models;
  std::optional<Tier> tier;  // that it is tagged with; not kAuto
  int priority = 2;          // lower first
  bool active = true;
  bool has_secret = true;
};

struct RetryPolicy {
  int max_retries = 3;  // rounds after the first
  Duration base = std::chrono::milliseconds(500);
  double jitter = 0.25;
  Duration cap = std::chrono::seconds(30);
};

// A bucket of `per_minute` requests a minute that holds at most `burst`.
struct BucketSpec {
  std::int64_t per_minute = 0;
  std::int64_t burst = 0;
};

struct Config {
  std::vector<KeySpec> keys;
  std::vector<std::string> light_models, medium_models, heavy_models;
  std::int64_t auto_medium_tokens = 4'000;  // from this estimated size `auto` means medium
  std::int64_t auto_heavy_tokens = 32'000;  // from this, heavy
  bool enable_fallback = true;              // for requests that do not say
  Duration fallback_saves = std::chrono::seconds(5);  // the least a fallback must save to be used
  std::size_t max_waiting = 10'000;
  RetryPolicy retry;
  std::optional<BucketSpec> user_limit;  // per (uid, user_id), of requests with a user_id
  std::optional<BucketSpec> host_limit;  // all requests
  // Shares of uids and agents where they compete; 1 where not named. Above 0.
  std::map<std::uint32_t, double> uid_weights;
  std::map<std::string, double> agent_weights;
  Duration age_step = std::chrono::seconds(30);  // of waiting lifts a priority class by one
};

}  // namespace requestrouter::policy
