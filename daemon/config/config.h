#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

#include "daemon/config/caller_rule.h"
#include "daemon/policy/types.h"
#include "daemon/upstream/attempt.h"

// The configuration as the daemon uses it, and how it is read: keys.json, a .env file and the
// environment, all mistakes reported at once. Free of secrets: those are fetched by
// daemon/secrets from what `SecretSource` names.
namespace requestrouter::config {

// When a provider's day begins. A rolling day never exceeds a calendar day's quota, whatever the
// zone; the others use up a calendar day's quota completely.
enum class DayReset : std::uint8_t { kPacificMidnight, kUtcMidnight, kRolling24h };

// Where a key's secret comes from. The kind is resolved: a key without `secret` has the kind of
// `secret_store`.
struct SecretSource {
  enum class Kind : std::uint8_t { kEnvironment, kFile, kCredential, kVault, kCommand };
  Kind kind = Kind::kEnvironment;
  // A variable, absolute path, credential name, Vault path ("mount/path" or "mount/path#field") or
  // command line; empty: what daemon/secrets derives from the key_id.
  std::string value;
  bool operator==(const SecretSource&) const = default;
};

struct ModelOfKey {
  std::string name;
  // Complete with the provider's `counts`, `cached_counts` and `burst` and the guard, but for
  // `day_reset`, which needs time zones: see Provider's.
  policy::LimitSet limits;
};

struct Key {
  std::string key_id;
  std::string provider;     // a name in Config::providers
  std::string quota_group;  // the key_id where none was given
  std::vector<ModelOfKey> models;
  std::optional<policy::Tier> tier;  // tags.workload
  int priority = 2;                  // high = 1, medium = 2, low = 3, or any number
  bool active = true;
  SecretSource secret;
  int line = 0;  // in keys.json, for messages
};

struct Provider {
  upstream::Provider http;
  DayReset day_reset = DayReset::kUtcMidnight;
  policy::Counts counts = policy::Counts::kInput;
  bool cached_counts = true;
  policy::Burst burst = policy::Burst::kWindow;
  bool operator==(const Provider&) const = default;
};

// What is known of a model beside its limits. Absent capabilities: taken to be capable.
struct Model {
  std::optional<std::int64_t> context_tokens;
  std::optional<double> input_usd_per_mtok, output_usd_per_mtok, cached_usd_per_mtok;
  std::optional<std::vector<std::string>> capabilities;  // tools, json, json_schema, images,
                                                         // reasoning, streaming
  bool operator==(const Model&) const = default;
};

// A rate and how much of it may go at once.
struct Bucket {
  std::int64_t per_minute = 0;
  std::int64_t burst = 0;
  bool operator==(const Bucket&) const = default;
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
  std::string log_level = "info";    // trace | debug | info | warning | error | critical | off
  bool log_json = false;             // `log_format: text | json`
  std::string log_file;              // absolute; empty: the journal or stderr
  std::int64_t log_file_bytes = 10 << 20;
  std::int64_t log_files = 5;        // older ones that are kept
  std::string metrics_listen;        // see LoopbackAddress; empty: not served
  std::string secret_store = "env";  // SECRET_STORE_TYPE: env | file | credential | vault | command
  std::string secret_directory = "/etc/requestrouter/secrets";  // of `file`: DIRECTORY/<key_id>
  std::string secret_command;  // of `command`: run with KEY_ID in its environment
  std::chrono::milliseconds secret_timeout{10'000};  // of a command or a call of Vault
  std::chrono::milliseconds window_guard{250};       // as in every LimitSet
};

struct Config {
  std::vector<Key> keys;
  std::map<std::string, Provider> providers;  // built-ins included
  std::map<std::string, Model> models;
  std::vector<CallerRule> callers;              // in the order of the file
  std::map<std::string, double> agent_weights;  // by `agent`
  Settings settings;
};

// One mistake or doubt. Printed as "FILE:LINE:COLUMN: KEY: MESSAGE", without what is not known.
struct Problem {
  std::string file;
  int line = 0;          // 0: not known
  std::string key;       // "keys[1].rpm", "LLM_MAX_RETRIES"; may be empty
  std::string message;   // says what to do
  int column = 0;        // of syntax errors only
  bool warning = false;  // among errors: one that would not have stood in the way
};

std::string ToString(const Problem& problem);

// Name to value, names as written.
using Environment = std::map<std::string, std::string, std::less<>>;

// The process's own environment.
Environment ProcessEnvironment();

// A .env file as read.
struct Dotenv {
  std::string path;
  Environment values;
  std::map<std::string, int, std::less<>> lines;  // where each name was set
  std::vector<Problem> warnings;
};

// Reads a .env file: NAME=VALUE lines with an optional `export`; names may hold hyphens. Quotes,
// escapes and comments follow Docker Compose's rules for env files, except that nothing is
// interpolated, because a secret may hold a dollar sign.
// https://docs.docker.com/compose/how-tos/environment-variables/variable-interpolation/#env-file-syntax
tl::expected<Dotenv, std::vector<Problem>> ReadDotenv(const std::string& path);

// What holds in the end: `process` wins over the .env file, as everywhere, so that one value can
// be changed for one start without editing the file.
Environment Merge(const Environment& dotenv, const Environment& process);

struct Loaded {
  Config config;
  std::vector<Problem> warnings;
};

// Reads keys.json (daemon/config/REFERENCE.md lists its fields); `environment` wins over it. Every
// error of the file and of the environment at once, in order of lines, and then the warnings.
// `dotenv` is the file that was merged into `environment`, or null: mistakes in its values are then
// reported with its lines. Never throws, never keeps a secret; may block on the file.
tl::expected<Loaded, std::vector<Problem>> Load(const std::string& path,
                                                const Environment& environment,
                                                const Dotenv* dotenv = nullptr);

}  // namespace requestrouter::config
