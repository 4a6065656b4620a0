#include "daemon/reload.h"

#include <algorithm>
#include <optional>
#include <tuple>

#include "daemon/secrets/process_environment.h"

namespace requestrouter {
namespace {

const config::Key* FindKey(const config::Config& config, const std::string& key_id) {
  const auto found = std::find_if(config.keys.begin(), config.keys.end(),
                                  [&](const config::Key& key) { return key.key_id == key_id; });
  return found == config.keys.end() ? nullptr : &*found;
}

// Compares all that the file says of the limits of a key's model.
bool SameLimits(const policy::LimitSet& one, const policy::LimitSet& other) {
  const auto tied = [](const policy::LimitSet& l) {
    return std::tie(l.rpm, l.tpm, l.itpm, l.otpm, l.rpd, l.tpd, l.max_in_flight, l.counts,
                    l.cached_counts, l.burst, l.guard);
  };
  return tied(one) == tied(other);
}

// Compares all that the file says of a key, but not where in the file it is said.
bool Same(const config::Key& one, const config::Key& other) {
  const auto tied = [](const config::Key& k) {
    return std::tie(k.provider, k.quota_group, k.workload, k.priority, k.active, k.secret.kind,
                    k.secret.value);
  };
  return tied(one) == tied(other) &&
         std::equal(one.models.begin(), one.models.end(), other.models.begin(), other.models.end(),
                    [](const config::ModelOfKey& a, const config::ModelOfKey& b) {
                      return a.name == b.name && SameLimits(a.limits, b.limits);
                    });
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
  config::Environment environment = secrets::ProcessEnvironment();
  std::optional<config::Dotenv> dotenv;
  if (!env_file_.empty()) {
    auto read = config::ReadDotenv(env_file_);
    if (!read) return tl::unexpected(std::move(read.error()));
    dotenv = std::move(*read);
    environment = config::Merge(dotenv->values, environment);
  }
  auto loaded = config::Load(config_path_, environment, dotenv ? &*dotenv : nullptr);
  if (!loaded) return tl::unexpected(std::move(loaded.error()));
  if (dotenv) {
    loaded->warnings.insert(loaded->warnings.begin(), dotenv->warnings.begin(),
                            dotenv->warnings.end());
  }
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
    } else if (!Same(*old, key)) {
      changes.push_back("key " + key.key_id + " changed");
    }
  }
  for (const config::Key& key : before.keys) {
    if (!FindKey(after, key.key_id)) changes.push_back("key " + key.key_id + " removed");
  }
  return changes;
}

}  // namespace requestrouter
