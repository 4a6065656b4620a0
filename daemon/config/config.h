#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

#include "daemon/policy/types.h"
#include "daemon/upstream/client.h"

// The configuration as the daemon uses it, and how it is read: keys.json, a .env file and the
// environment, all mistakes reported at once. Free of secrets: those are fetched by
// daemon/secrets from what `SecretSource` names.
namespace requestrouter::config {

// When a provider's day begins.
enum class DayReset : std::uint8_t { kPacificMidnight, kUtcMidnight, kRolling24h };

struct SecretSource {
  enum class Kind : std::uint8_t { kEnvironment, kFile, kCredential, kVault, kCommand };
  Kind kind = Kind::kEnvironment;
  std::string value;  // a path, credential name, Vault path or command line; empty: the default
};

struct ModelOfKey {
  std::string name;
  policy::LimitSet limits;  // `day_reset` is not set here: see Provider's
};

struct Key {
  std::string key_id;
  std::string provider;     // a name in Config::providers
  std::string quota_group;  // the key_id where none was given
  std::vector<ModelOfKey> models;
  std::string workload;     // light | medium | heavy, or empty
  int priority = 2;         // high = 1, medium = 2, low = 3, or any number
  bool active = true;
  SecretSource secret;
  int line = 0;             // in keys.json, for messages
};

struct Provider {
  upstream::Provider http;
  DayReset day_reset = DayReset::kUtcMidnight;
};

// What is known of a model beside its limits. Absent capabilities: taken to be capable.
struct Model {
  std::optional<std::int64_t> context_tokens;
  std::optional<double> input_usd_per_mtok, output_usd_per_mtok, cached_usd_per_mtok;
  std::optional<std::vector<std::string>> capabilities;  // tools, json, json_schema, images,
                                                         // reasoning, streaming
};

// A rate and how much of it may go at once.
struct Bucket {
  std::int64_t per_minute = 0;
  std::int64_t burst = 0;
};

struct Settings {
  int max_retries = 3;
  std::chrono::milliseconds base_backoff{500};
  std::chrono::milliseconds max_backoff{30'000};
  bool enable_fallback = true;
  std::chrono::milliseconds fallback_saves{5'000};
  std::chrono::seconds conversation_ttl{86'400};
  std::int64_t max_waiting = 10'000;
  std::chrono::milliseconds drain{30'000};
  std::chrono::seconds result_ttl{600};
  std::int64_t max_results = 100'000;
  bool durability_full = true;  // `durability: full | process`
  std::int64_t max_payload_bytes = 16 << 20;
  std::int64_t max_nesting = 32;
  std::int64_t history_tokens = 0;  // 0: the model's context
  std::int64_t auto_medium_tokens = 4'000;
  std::int64_t auto_heavy_tokens = 32'000;
  std::map<std::string, std::vector<std::string>> workload_models;  // light | medium | heavy
  std::optional<Bucket> user_limit;  // USER_RPM_DEFAULT, USER_BURST_DEFAULT
  std::optional<Bucket> host_limit;  // GLOBAL_RPM_MAX, GLOBAL_BURST_MAX
  std::string admin_group;           // empty: none
  std::string log_level = "info";
  std::string secret_store = "env";  // SECRET_STORE_TYPE: env | vault | file | credential
};

struct Config {
  std::vector<Key> keys;
  std::map<std::string, Provider> providers;  // built-ins included
  std::map<std::string, Model> models;
  Settings settings;
};

// One mistake or doubt. Printed as "FILE:LINE: KEY: MESSAGE".
struct Problem {
  std::string file;
  int line = 0;     // 0: not known
  std::string key;  // "keys[1].rpm", "LLM_MAX_RETRIES"; may be empty
  std::string message;  // says what to do
};

std::string ToString(const Problem& problem);

// Name to value. Later calls of the environment win; names are kept as written.
using Environment = std::map<std::string, std::string, std::less<>>;

// The process's own environment.
Environment ProcessEnvironment();

// Reads a .env file: KEY=VALUE lines, hyphens in names allowed, quotes, `export`, comments.
tl::expected<Environment, std::vector<Problem>> ReadDotenv(const std::string& path);

struct Loaded {
  Config config;
  std::vector<Problem> warnings;
};

// `environment` wins over the file. Every error of the file and the environment at once.
tl::expected<Loaded, std::vector<Problem>> Load(const std::string& path,
                                                const Environment& environment);

}  // namespace requestrouter::config
