#include "daemon/reload.h"

#include <optional>
#include <utility>

#include "daemon/env_file.h"
#include "daemon/secrets/process_environment.h"

namespace requestrouter {
namespace {

// The errors among them.
std::string Joined(const std::vector<config::Problem>& problems) {
  std::string text;
  for (const config::Problem& problem : problems) {
    if (problem.warning) continue;
    if (!text.empty()) text += "; ";
    text += config::ToString(problem);
  }
  return text;
}

}  // namespace

Reloader::Reloader(std::string config_path, std::string env_file)
    : config_path_(std::move(config_path)), env_file_(std::move(env_file)) {}

tl::expected<Reloader::Configuration, std::vector<config::Problem>> Reloader::Load() const {
  config::Environment process = secrets::ProcessEnvironment();
  config::Environment environment = process;
  std::optional<config::Dotenv> dotenv;
  if (!env_file_.empty()) {
    auto read = config::ReadDotenv(env_file_);
    if (!read) return tl::unexpected(std::move(read.error()));
    dotenv = std::move(*read);
    environment = config::Merge(dotenv->values, process);
  }
  auto loaded = config::Load(config_path_, environment, dotenv ? &*dotenv : nullptr);
  if (!loaded) return tl::unexpected(std::move(loaded.error()));
  if (dotenv) {
    for (const auto& more : {DoubtsOf(*dotenv, process, loaded->config), dotenv->warnings}) {
      loaded->warnings.insert(loaded->warnings.begin(), more.begin(), more.end());
    }
    secrets::Wipe(dotenv->values);
  }
  secrets::Wipe(process);
  return Configuration{std::move(*loaded), std::move(environment)};
}

ipc::Result<Reloaded> Reloader::Read() const {
  auto configuration = Load();
  if (!configuration) {
    return ipc::Fail(ipc::ErrorType::kInvalidRequest, Joined(configuration.error()));
  }
  Reloaded reloaded;
  reloaded.fetched = FetchSecrets(configuration->loaded.config, configuration->environment);
  secrets::Wipe(configuration->environment);
  for (const config::Problem& warning : configuration->loaded.warnings) {
    reloaded.warnings.push_back(config::ToString(warning));
  }
  reloaded.config = std::move(configuration->loaded.config);
  return reloaded;
}

}  // namespace requestrouter
