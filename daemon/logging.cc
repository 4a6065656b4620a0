#include "daemon/logging.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <memory>
#include <optional>

#include "daemon/policy/lower_case.h"
#include "daemon/secrets/redacting_sink.h"

namespace requestrouter {
namespace {

std::optional<spdlog::level::level_enum> Parse(const std::string& level) {
  std::string name = policy::LowerCase(level);
  if (name == "warn") name = "warning";
  if (name == "critical") name = "error";
  const spdlog::level::level_enum parsed = spdlog::level::from_str(name);
  if (parsed == spdlog::level::off && name != "off") return std::nullopt;
  return parsed;
}

}  // namespace

bool SetUpLogging(const std::string& level) {
  const auto parsed = Parse(level);
  if (!parsed) return false;
  auto sink = std::make_shared<secrets::RedactingSink>(
      std::make_shared<spdlog::sinks::stderr_sink_mt>(), secrets::ProcessRedactor());
  auto logger = std::make_shared<spdlog::logger>("routerd", std::move(sink));
  logger->set_level(*parsed);
  logger->flush_on(spdlog::level::info);
  logger->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %l %v", spdlog::pattern_time_type::utc);
  spdlog::set_default_logger(std::move(logger));
  return true;
}

void SetLogLevel(const std::string& level) {
  if (const auto parsed = Parse(level)) spdlog::set_level(*parsed);
}

}  // namespace requestrouter
