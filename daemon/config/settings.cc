#include "daemon/config/settings.h"

#include <array>

#include "daemon/config/fields.h"
#include "daemon/config/loopback_address.h"
#include "daemon/config/user_database.h"
#include "daemon/policy/lower_case.h"

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

// Where a value came from, so that contradictions are reported at the place to change.
class Source {
 public:
  Source(const ObjectReader* block, const Variables& variables)
      : block_(block), variables_(variables) {}

  const ObjectReader* block() const { return block_; }
  const Variables& variables() const { return variables_; }

  void Error(std::string_view field, std::string_view variable, std::string message) const {
    if (!variable.empty() && variables_.Text(variable)) {
      variables_.Error(variable, std::move(message));
    } else if (block_ != nullptr) {
      block_->Error(field, std::move(message));
    }
  }

  void Warn(std::string_view field, std::string_view variable, std::string message) const {
    if (variables_.Text(variable)) {
      variables_.Warn(variable, std::move(message));
    } else if (block_ != nullptr) {
      block_->report().Warn(block_->LineOf(field), block_->PathOf(field), std::move(message));
    }
  }

 private:
  const ObjectReader* block_;
  const Variables& variables_;
};

void ReadNumbers(const Source& source, Settings& settings) {
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
}

// A rate of 0 means no limit; a bucket without a size holds one minute's worth.
void FinishBucket(const Source& source, std::string_view burst_field,
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

void CheckOrder(const Source& source, const Settings& settings) {
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

constexpr std::array<std::string_view, 5> kStores = {"env", "file", "credential", "vault",
                                                     "command"};

// What is wrong with the name of a secret store; empty: nothing.
std::string StoreProblem(const std::string& store) {
  for (const auto known : kStores) {
    if (store == known) return "";
  }
  if (store == "aws" || store == "azure") {
    return Quote(store) + " is not built in; use \"command\" with a program that prints the " +
           "secret, for example \"secret_command\": " +
           (store == "aws"
                ? "\"aws secretsmanager get-secret-value --secret-id $KEY_ID --query "
                  "SecretString --output text\""
                : "\"az keyvault secret show --vault-name VAULT --name $KEY_ID --query value "
                  "--output tsv\"");
  }
  return "must be " + Enumerate({kStores.begin(), kStores.end()}) + ", is " + Quote(store) +
         DidYouMean(store, kStores);
}

void ReadStore(const Source& source, Settings& settings) {
  const auto variable = source.variables().Text("SECRET_STORE_TYPE");
  auto store = variable;
  if (!store && source.block() != nullptr) store = source.block()->Text("secret_store");
  if (store) settings.secret_store = policy::LowerCase(*store);
  const std::string problem = StoreProblem(settings.secret_store);
  if (!problem.empty()) source.Error("secret_store", "SECRET_STORE_TYPE", problem);
  if (settings.secret_store == "command" && settings.secret_command.empty()) {
    source.Error("secret_store", "SECRET_STORE_TYPE",
                 "\"command\" needs config.secret_command, a program that prints the secret of "
                 "the key named by $KEY_ID");
  }
}

// Python's names of levels are known too, because the existing deployments' files hold them.
std::optional<std::string> LogLevel(std::string_view name) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 11> kNames = {
      {{"trace", "trace"},
       {"debug", "debug"},
       {"info", "info"},
       {"warning", "warning"},
       {"warn", "warning"},
       {"error", "error"},
       {"err", "error"},
       {"critical", "critical"},
       {"fatal", "critical"},
       {"notset", "trace"},
       {"off", "off"}}};
  for (const auto& [alias, level] : kNames) {
    if (EditDistance(name, alias) == 0) return std::string(level);
  }
  return std::nullopt;
}

void ReadLogLevel(const Source& source, Settings& settings) {
  auto name = source.variables().Text("LOG_LEVEL");
  if (!name && source.block() != nullptr) name = source.block()->Text("log_level");
  if (!name) return;
  if (const auto level = LogLevel(*name)) {
    settings.log_level = *level;
    return;
  }
  const std::vector<std::string> levels = {"trace", "debug",    "info", "warning",
                                           "error", "critical", "off"};
  source.Error("log_level", "LOG_LEVEL",
               "must be " + Enumerate(levels) + ", is " + Quote(*name) + DidYouMean(*name, levels));
}

void ReadLogFormat(const Source& source, Settings& settings) {
  constexpr std::array<std::string_view, 2> kFormats = {"text", "json"};
  auto name = source.variables().Text("LOG_FORMAT");
  if (!name && source.block() != nullptr) name = source.block()->Text("log_format");
  if (!name) return;
  for (const auto format : kFormats) {
    if (EditDistance(*name, format) != 0) continue;
    settings.log_json = format == "json";
    return;
  }
  source.Error("log_format", "LOG_FORMAT",
               "must be " + Enumerate({kFormats.begin(), kFormats.end()}) + ", is " + Quote(*name) +
                   DidYouMean(*name, kFormats));
}

void ReadMetricsListen(const ObjectReader& block, Settings& settings) {
  const auto text = block.Text("metrics_listen");
  if (!text) return;
  auto address = LoopbackAddress(*text);
  if (address) {
    settings.metrics_listen = std::move(*address);
  } else {
    block.Error("metrics_listen", address.error());
  }
}

std::string AbsolutePath(const ObjectReader& block, std::string_view field, std::string path) {
  if (path.front() != '/') block.Error(field, "must be an absolute path, is " + Quote(path));
  return path;
}

void ReadWorkloads(const ObjectReader& block, Settings& settings) {
  const auto mapping = block.Object("workload_model_mapping");
  if (!mapping) return;
  for (const Member& member : mapping->node().members) {
    if (IsComment(member.name)) continue;
    if (std::find(kWorkloads.begin(), kWorkloads.end(), member.name) == kWorkloads.end()) {
      mapping->Error(member.name, "is not a workload; use \"light\", \"medium\" or \"heavy\"" +
                                      DidYouMean(member.name, kWorkloads));
      continue;
    }
    settings.workload_models[member.name] = mapping->Texts(member.name);
  }
}

void ReadWords(const ObjectReader& block, Settings& settings) {
  constexpr std::array<std::string_view, 2> kDurabilities = {"full", "process"};
  if (const auto fallback = block.Bool("enable_fallback")) settings.enable_fallback = *fallback;
  if (const auto word = block.Word("durability", kDurabilities)) {
    settings.durability_full = *word == "full";
  }
  if (auto group = block.Text("admin_group")) {
    settings.admin_group = std::move(*group);
    if (!GroupId(settings.admin_group)) {
      block.report().Warn(block.LineOf("admin_group"), block.PathOf("admin_group"),
                          "there is no group " + Quote(settings.admin_group) +
                              " here; until there is, only root and routerd's own user are "
                              "administrators");
    }
  }
  if (auto command = block.Text("secret_command")) settings.secret_command = std::move(*command);
  if (auto directory = block.Text("secret_directory")) {
    settings.secret_directory = AbsolutePath(block, "secret_directory", std::move(*directory));
  }
  if (auto file = block.Text("log_file")) {
    settings.log_file = AbsolutePath(block, "log_file", std::move(*file));
  }
}

void WarnOfUnknownSettings(const ObjectReader& block) {
  std::vector<std::string_view> numbers;
  for (const NumberSetting& setting : NumberSettings()) numbers.push_back(setting.field);
  block.WarnOfUnknown(kOtherSettings, numbers);
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

Settings ReadSettings(const ObjectReader* block, const Variables& variables) {
  Settings settings;
  const Source source(block, variables);
  ReadNumbers(source, settings);
  if (block != nullptr) {
    ReadWords(*block, settings);
    ReadWorkloads(*block, settings);
    ReadMetricsListen(*block, settings);
    WarnOfUnknownSettings(*block);
  }
  FinishBucket(source, "user_burst_default", "USER_BURST_DEFAULT", "user_rpm_default",
               settings.user_limit);
  FinishBucket(source, "global_burst_max", "GLOBAL_BURST_MAX", "global_rpm_max",
               settings.host_limit);
  CheckOrder(source, settings);
  ReadStore(source, settings);
  ReadLogLevel(source, settings);
  ReadLogFormat(source, settings);
  if (variables.Text("REDIS_URL")) {
    variables.Warn("REDIS_URL", "not needed any more: state is kept in SQLite; remove it");
  }
  return settings;
}

}  // namespace requestrouter::config
