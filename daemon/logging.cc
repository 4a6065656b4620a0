#include "daemon/logging.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <memory>

#include "daemon/policy/lower_case.h"
#include "daemon/secrets/redacting_sink.h"

namespace requestrouter {

bool SetUpLogging(const std::string& level) {
  std::string name = policy::LowerCase(level);
  if (name == "warn") name = "warning";
  if (name == "critical") name = "error";
  const spdlog::level::level_enum parsed = spdlog::level::from_str(name);
  if (parsed == spdlog::level::off && name != "off") return false;
  auto sink = std::make_shared<secrets::RedactingSink>(
      std::make_shared<spdlog::sinks::stderr_sink_mt>(), secrets::ProcessRedactor());
  auto logger = std::make_shared<spdlog::logger>("routerd", std::move(sink));
  logger->set_level(parsed);
  logger->flush_on(spdlog::level::info);
  logger->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %l %v", spdlog::pattern_time_type::utc);
  spdlog::set_default_logger(std::move(logger));
  return true;
}

}  // namespace requestrouter
