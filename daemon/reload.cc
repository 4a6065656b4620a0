#include "daemon/reload.h"

#include <algorithm>

namespace requestrouter {
namespace {

const config::Key* FindKey(const config::Config& config, const std::string& key_id) {
  const auto found = std::find_if(config.keys.begin(), config.keys.end(),
                                  [&](const config::Key& key) { return key.key_id == key_id; });
  return found == config.keys.end() ? nullptr : &*found;
}

void Add(std::string& text, const std::optional<policy::Limit>& limit) {
  text += limit ? std::to_string(limit->amount) + "/" + std::to_string(limit->window.count()) : "-";
  text += ' ';
}

void Add(std::string& text, const std::optional<std::int64_t>& limit) {
  text += (limit ? std::to_string(*limit) : "-") + ' ';
}

// Everything of a key that a change of the file can change, to compare.
std::string Describe(const config::Key& key) {
  std::string text = key.provider + ' ' + key.quota_group + ' ' + key.workload + ' ' +
                     std::to_string(key.priority) + (key.active ? " active" : " inactive");
  for (const config::ModelOfKey& model : key.models) {
    text += ' ' + model.name + ' ';
    for (const auto* limit : {&model.limits.rpm, &model.limits.tpm, &model.limits.itpm,
                              &model.limits.otpm}) {
      Add(text, *limit);
    }
    for (const auto* limit :
         {&model.limits.rpd, &model.limits.tpd, &model.limits.max_in_flight}) {
      Add(text, *limit);
    }
  }
  return text;
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
  std::vector<config::Problem> doubts;
  if (!env_file_.empty()) {
    auto dotenv = config::ReadDotenv(env_file_);
    if (!dotenv) return tl::unexpected(std::move(dotenv.error()));
    environment = config::Merge(dotenv->values, environment);
    doubts = std::move(dotenv->warnings);
  }
  auto loaded = config::Load(config_path_, environment);
  if (!loaded) return tl::unexpected(std::move(loaded.error()));
  loaded->warnings.insert(loaded->warnings.begin(), doubts.begin(), doubts.end());
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
    } else if (Describe(*old) != Describe(key)) {
      changes.push_back("key " + key.key_id + " changed");
    }
  }
  for (const config::Key& key : before.keys) {
    if (!FindKey(after, key.key_id)) changes.push_back("key " + key.key_id + " removed");
  }
  return changes;
}

}  // namespace requestrouter
