#include "daemon/config/number_settings.h"

#include <chrono>
#include <optional>

namespace requestrouter::config {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::int64_t kDayMs = 86'400'000;
constexpr std::int64_t kYearSeconds = 366 * 86'400;
constexpr std::int64_t kMostRequests = 1'000'000'000;

Bucket& Ensure(std::optional<Bucket>& bucket) {
  if (!bucket) bucket.emplace();
  return *bucket;
}

// A rate of 0 means no limit; a bucket without a size holds one minute's worth.
void FinishBucket(const SettingSource& source, std::string_view burst_field,
                  std::string_view burst_variable, std::string_view rate,
                  std::optional<Bucket>& bucket) {
  if (!bucket) return;
  if (bucket->per_minute == 0) {
    if (bucket->burst > 0) {
      source.Warn(burst_field, burst_variable, "has no effect without " + std::string(rate));
    }
    bucket.reset();
  } else if (bucket->burst == 0) {
    bucket->burst = bucket->per_minute;
  }
}

void CheckOrder(const SettingSource& source, const Settings& settings) {
  if (settings.max_backoff < settings.base_backoff) {
    source.Error(source.block() != nullptr && source.block()->Has("max_backoff_ms")
                     ? "max_backoff_ms"
                     : "base_backoff_ms",
                 "LLM_BASE_BACKOFF_MS",
                 "base_backoff_ms (" + std::to_string(settings.base_backoff.count()) +
                     ") is above max_backoff_ms (" + std::to_string(settings.max_backoff.count()) +
                     "); lower one or raise the other");
  }
  if (settings.auto_heavy_tokens < settings.auto_medium_tokens) {
    source.Error("auto_heavy_tokens", "",
                 "auto_heavy_tokens (" + std::to_string(settings.auto_heavy_tokens) +
                     ") is below auto_medium_tokens (" +
                     std::to_string(settings.auto_medium_tokens) +
                     "); raise one or lower the other");
  }
}

}  // namespace

const std::vector<NumberSetting>& NumberSettings() {
  using S = Settings;
  using I = std::int64_t;
  static const std::vector<NumberSetting> settings = {
      {"max_retries", "LLM_MAX_RETRIES", 0, 100,
       [](S& s, I v) { s.max_retries = static_cast<int>(v); }},
      {"base_backoff_ms", "LLM_BASE_BACKOFF_MS", 1, 600'000,
       [](S& s, I v) { s.base_backoff = milliseconds(v); }},
      {"max_backoff_ms", "", 1, 3'600'000, [](S& s, I v) { s.max_backoff = milliseconds(v); }},
      {"fallback_saves_ms", "", 0, kDayMs, [](S& s, I v) { s.fallback_saves = milliseconds(v); }},
      {"conversation_ttl_seconds", "CONVERSATION_TTL_SECONDS", 1, 10 * kYearSeconds,
       [](S& s, I v) { s.conversation_ttl = seconds(v); }},
      {"user_rpm_default", "USER_RPM_DEFAULT", 0, kMostRequests,
       [](S& s, I v) { Ensure(s.user_limit).per_minute = v; }},
      {"user_burst_default", "USER_BURST_DEFAULT", 1, kMostRequests,
       [](S& s, I v) { Ensure(s.user_limit).burst = v; }},
      {"global_rpm_max", "GLOBAL_RPM_MAX", 0, kMostRequests,
       [](S& s, I v) { Ensure(s.host_limit).per_minute = v; }},
      {"global_burst_max", "GLOBAL_BURST_MAX", 1, kMostRequests,
       [](S& s, I v) { Ensure(s.host_limit).burst = v; }},
      {"max_waiting", "", 0, 1'000'000, [](S& s, I v) { s.max_waiting = v; }},
      {"drain_ms", "", 0, kDayMs, [](S& s, I v) { s.drain = milliseconds(v); }},
      {"result_ttl_seconds", "", 1, kYearSeconds, [](S& s, I v) { s.result_ttl = seconds(v); }},
      {"max_results", "", 1, 100'000'000, [](S& s, I v) { s.max_results = v; }},
      {"max_payload_bytes", "", 4'096, 1 << 30, [](S& s, I v) { s.max_payload_bytes = v; }},
      {"max_nesting", "", 8, 128, [](S& s, I v) { s.max_nesting = v; }},
      {"history_tokens", "", 0, kMostRequests, [](S& s, I v) { s.history_tokens = v; }},
      {"auto_medium_tokens", "", 1, kMostRequests, [](S& s, I v) { s.auto_medium_tokens = v; }},
      {"auto_heavy_tokens", "", 1, kMostRequests, [](S& s, I v) { s.auto_heavy_tokens = v; }},
      {"window_guard_ms", "", 0, 60'000, [](S& s, I v) { s.window_guard = milliseconds(v); }},
      {"log_file_bytes", "", 4'096, 1 << 30, [](S& s, I v) { s.log_file_bytes = v; }},
      {"log_files", "", 1, 1'000, [](S& s, I v) { s.log_files = v; }},
      {"secret_timeout_ms", "", 1, 600'000, [](S& s, I v) { s.secret_timeout = milliseconds(v); }},
  };
  return settings;
}

void ReadNumbers(const SettingSource& source, Settings& settings) {
  for (const NumberSetting& setting : NumberSettings()) {
    std::optional<std::int64_t> value;
    if (source.block() != nullptr) {
      value = source.block()->Whole(setting.field, setting.min, setting.max);
    }
    if (!setting.variable.empty()) {
      const auto over = source.variables().Whole(setting.variable, setting.min, setting.max);
      if (over) value = over;
    }
    if (value) setting.set(settings, *value);
  }
  FinishBucket(source, "user_burst_default", "USER_BURST_DEFAULT", "user_rpm_default",
               settings.user_limit);
  FinishBucket(source, "global_burst_max", "GLOBAL_BURST_MAX", "global_rpm_max",
               settings.host_limit);
  CheckOrder(source, settings);
}

}  // namespace requestrouter::config
