#include "daemon/env_file.h"

#include <sys/stat.h>

#include <algorithm>
#include <set>
#include <string>
#include <string_view>

#include "daemon/config/number_settings.h"
#include "daemon/config/suggest.h"
#include "daemon/secrets/secrets.h"

namespace requestrouter {
namespace {

using config::Problem;

constexpr std::string_view kSecretPrefix = "API_KEY_";

bool IsSecret(std::string_view name) {
  return name.substr(0, kSecretPrefix.size()) == kSecretPrefix || name == "VAULT_TOKEN";
}

// The variables in which the secrets of all keys are looked for.
std::set<std::string> SecretNames(const config::Config& config) {
  std::set<std::string> names;
  for (const config::Key& key : config.keys) {
    for (std::string& name : secrets::VariablesOf(key.key_id)) names.insert(std::move(name));
    if (key.secret.kind == config::SecretSource::Kind::kEnvironment) names.insert(key.secret.value);
  }
  return names;
}

std::vector<std::string_view> SettingNames() {
  std::vector<std::string_view> names = {
      "SECRET_STORE_TYPE", "LOG_LEVEL",    "LOG_FORMAT",        "VAULT_ADDR", "VAULT_TOKEN",
      "VAULT_NAMESPACE",   "VAULT_CACERT", "VAULT_SECRET_PATH", "REDIS_URL"};
  for (const config::NumberSetting& setting : config::NumberSettings()) {
    if (!setting.variable.empty()) names.push_back(setting.variable);
  }
  return names;
}

void CheckPermissions(const config::Dotenv& dotenv, std::vector<Problem>& doubts) {
  struct stat status {};
  const bool has_secret = std::any_of(dotenv.values.begin(), dotenv.values.end(),
                                      [](const auto& one) { return IsSecret(one.first); });
  if (!has_secret || ::stat(dotenv.path.c_str(), &status) != 0) return;
  if (!S_ISREG(status.st_mode) || (status.st_mode & 077) == 0) return;
  doubts.push_back(
      {dotenv.path, 0, "",
       "holds secrets and is open to others than its owner; run: chmod 600 " + dotenv.path});
}

void CheckName(const config::Dotenv& dotenv, const std::string& name,
               const std::set<std::string>& secrets, std::vector<Problem>& doubts) {
  static const std::vector<std::string_view> settings = SettingNames();
  const bool is_key = name.substr(0, kSecretPrefix.size()) == kSecretPrefix;
  const bool is_setting = std::find(settings.begin(), settings.end(), name) != settings.end();
  if (secrets.contains(name) || is_setting) return;
  const std::string meant =
      is_key ? config::DidYouMean(name, secrets) : config::DidYouMean(name, settings);
  if (!is_key && meant.empty()) return;  // of other programs
  doubts.push_back({dotenv.path, dotenv.lines.at(name), name,
                    (is_key ? "is of no key in the configuration" : "is not read") + meant});
}

}  // namespace

std::vector<Problem> DoubtsOf(const config::Dotenv& dotenv, const config::Environment& process,
                              const config::Config& config) {
  std::vector<Problem> doubts;
  CheckPermissions(dotenv, doubts);
  const std::set<std::string> secrets = SecretNames(config);
  for (const auto& [name, value] : dotenv.values) {
    CheckName(dotenv, name, secrets, doubts);
    const auto over = process.find(name);
    if (IsSecret(name) && over != process.end() && !over->second.empty() && over->second != value) {
      doubts.push_back({dotenv.path, dotenv.lines.at(name), name,
                        "has no effect: the environment holds another, which wins"});
    }
  }
  return doubts;
}

}  // namespace requestrouter
