#include "daemon/reload.h"

#include <algorithm>

namespace requestrouter {
namespace {

const config::Key* FindKey(const config::Config& config, const std::string& key_id) {
  const auto found = std::find_if(config.keys.begin(), config.keys.end(),
                                  [&](const config::Key& key) { return key.key_id == key_id; });
  return found == config.keys.end() ? nullptr : &*found;
}

std::string Joined(const std::vector<config::Problem>& problems) {
  std::string text;
  for (const config::Problem& problem : problems) {
    if (!text.empty()) text += "; ";
    text += config::ToString(problem);
  }
  return text;
}

}  // namespace

Reloader::Reloader(std::string config_path, std::string env_file)
    : config_path_(std::move(config_path)), env_file_(std::move(env_file)) {}

tl::expected<Reloader::Configuration, std::vector<config::Problem>> Reloader::Load() const {
  config::Environment environment = config::ProcessEnvironment();
  if (!env_file_.empty()) {
    auto dotenv = config::ReadDotenv(env_file_);
    if (!dotenv) return tl::unexpected(std::move(dotenv.error()));
    environment.merge(*dotenv);  // keeps what the process's own environment says
  }
  auto loaded = config::Load(config_path_, environment);
  if (!loaded) return tl::unexpected(std::move(loaded.error()));
  return Configuration{std::move(*loaded), std::move(environment)};
}

ipc::Result<Reloaded> Reloader::Read() const {
  auto configuration = Load();
  if (!configuration) {
    return ipc::Fail(ipc::ErrorType::kInvalidRequest, Joined(configuration.error()));
  }
  Reloaded reloaded;
  reloaded.fetched = FetchSecrets(configuration->loaded.config, configuration->environment);
  for (const config::Problem& warning : configuration->loaded.warnings) {
    reloaded.warnings.push_back(config::ToString(warning));
  }
  reloaded.warnings.insert(reloaded.warnings.end(), reloaded.fetched.missing.begin(),
                           reloaded.fetched.missing.end());
  reloaded.config = std::move(configuration->loaded.config);
  return reloaded;
}

std::vector<std::string> Changes(const config::Config& before, const config::Config& after) {
  std::vector<std::string> changes;
  for (const config::Key& key : after.keys) {
    const config::Key* old = FindKey(before, key.key_id);
    if (!old) {
      changes.push_back("key " + key.key_id + " added");
    } else if (!(*old == key)) {
      changes.push_back("key " + key.key_id + " changed");
    }
  }
  for (const config::Key& key : before.keys) {
    if (!FindKey(after, key.key_id)) changes.push_back("key " + key.key_id + " removed");
  }
  if (!(before.settings == after.settings)) changes.emplace_back("settings changed");
  return changes;
}

}  // namespace requestrouter
