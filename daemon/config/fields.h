#pragma once

#include <array>
#include <string_view>

#include "daemon/policy/types.h"

// The names that keys.json may hold, object by object. Others draw a warning, except those that
// begin with '_' or '$' or "//", which people use for comments and editors for schemas.
// REFERENCE.md describes every one; a test compares it with this list.
namespace requestrouter::config {

inline constexpr std::array<std::string_view, 6> kRootFields = {"keys",    "providers", "models",
                                                                "callers", "agents",    "config"};

inline constexpr std::array<std::string_view, 8> kLimitFields = {
    "rpm", "tpm", "itpm", "otpm", "rpd", "tpd", "max_in_flight", "window_seconds"};

inline constexpr std::array<std::string_view, 18> kKeyFields = {
    "key_id",         "model_name", "models",    "provider", "quota_group",
    "secret",         "active",     "tags",      "rpm",      "tpm",
    "itpm",           "otpm",       "rpd",       "tpd",      "max_in_flight",
    "window_seconds", "created_at", "updated_at"};

inline constexpr std::array<std::string_view, 9> kModelOfKeyFields = {
    "name", "rpm", "tpm", "itpm", "otpm", "rpd", "tpd", "max_in_flight", "window_seconds"};

inline constexpr std::array<std::string_view, 2> kTagFields = {"workload", "priority"};

inline constexpr std::array<std::string_view, 5> kSecretFields = {"env", "file", "credential",
                                                                  "vault", "command"};

inline constexpr std::array<std::string_view, 11> kProviderFields = {"kind",
                                                                     "base_url",
                                                                     "headers",
                                                                     "rpd_reset",
                                                                     "counts",
                                                                     "burst",
                                                                     "cached_counts",
                                                                     "connect_timeout_ms",
                                                                     "first_token_timeout_ms",
                                                                     "idle_timeout_ms",
                                                                     "total_timeout_ms"};

inline constexpr std::array<std::string_view, 6> kCallerFields = {
    "uid", "group", "models", "tokens_per_day", "usd_per_day", "weight"};

inline constexpr std::array<std::string_view, 1> kAgentFields = {"weight"};

inline constexpr std::array<std::string_view, 5> kModelFields = {
    "context_tokens", "input_usd_per_mtok", "output_usd_per_mtok", "cached_usd_per_mtok",
    "capabilities"};

inline constexpr std::array<std::string_view, 6> kCapabilities = {
    "tools", "json", "json_schema", "images", "reasoning", "streaming"};

inline constexpr auto& kWorkloads = policy::kTierNames;

// Those of `config` that are whole numbers are listed in settings.h.
inline constexpr std::array<std::string_view, 11> kOtherSettings = {
    "enable_fallback", "durability", "workload_model_mapping", "admin_group",  "log_level",
    "log_format",      "log_file",   "metrics_listen",         "secret_store", "secret_directory",
    "secret_command"};

}  // namespace requestrouter::config
