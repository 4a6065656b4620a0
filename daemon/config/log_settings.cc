#include "daemon/config/log_settings.h"

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace requestrouter::config {
namespace {

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

void ReadLogLevel(const SettingSource& source, Settings& settings) {
  const auto name = source.Text("log_level", "LOG_LEVEL");
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

void ReadLogFormat(const SettingSource& source, Settings& settings) {
  constexpr std::array<std::string_view, 2> kFormats = {"text", "json"};
  const auto name = source.Text("log_format", "LOG_FORMAT");
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

}  // namespace

void ReadLogSettings(const SettingSource& source, Settings& settings) {
  ReadLogLevel(source, settings);
  ReadLogFormat(source, settings);
}

}  // namespace requestrouter::config
