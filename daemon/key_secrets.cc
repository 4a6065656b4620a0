#include "daemon/key_secrets.h"

#include <algorithm>
#include <chrono>
#include <memory>

#include "daemon/secrets/redactor.h"
#include "daemon/secrets/secrets.h"

namespace requestrouter {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr auto kLongestFetch = std::chrono::seconds(45);  // of all secrets together

// Each key would count its requests against a quota that the provider counts for both.
void WarnOfShared(const config::Config& config, FetchedSecrets& fetched) {
  std::vector<const config::Key*> seen;
  for (const config::Key& key : config.keys) {
    const auto own = fetched.secrets.find(key.key_id);
    if (own == fetched.secrets.end()) continue;
    const auto same = std::find_if(seen.begin(), seen.end(), [&](const config::Key* other) {
      return other->provider == key.provider && other->quota_group != key.quota_group &&
             fetched.secrets.at(other->key_id)->Reveal() == own->second->Reveal();
    });
    if (same != seen.end()) {
      fetched.warnings.push_back("keys \"" + (*same)->key_id + "\" and \"" + key.key_id +
                                 "\" have the same secret and so one quota: give them the same "
                                 "quota_group, or remove one");
    }
    seen.push_back(&key);
  }
}

}  // namespace

FetchedSecrets FetchSecrets(const config::Config& config, const config::Environment& environment) {
  FetchedSecrets fetched;
  config::Settings settings = config.settings;
  const Clock::time_point end = Clock::now() + kLongestFetch;
  for (const config::Key& key : config.keys) {
    if (!key.active) continue;
    const auto left = std::chrono::duration_cast<milliseconds>(end - Clock::now());
    if (IsRemote(key.secret) && left <= milliseconds(0)) {
      fetched.warnings.push_back("no secret for key \"" + key.key_id +
                                 "\" yet: the others took too long; it is fetched later");
      continue;
    }
    settings.secret_timeout = std::min(config.settings.secret_timeout, left);
    tl::expected<secrets::Secret, std::string> secret = secrets::Fetch(key, settings, environment);
    if (secret) {
      fetched.secrets[key.key_id] = std::make_shared<const secrets::Secret>(std::move(*secret));
    } else {
      fetched.warnings.push_back(secret.error());
    }
  }
  WarnOfShared(config, fetched);
  TellRedactor(fetched.secrets);
  return fetched;
}

bool IsRemote(const config::SecretSource& source) {
  using Kind = config::SecretSource::Kind;
  return source.kind == Kind::kVault || source.kind == Kind::kCommand;
}

void KeepFormer(const router::Catalog& former, const config::Config& config,
                FetchedSecrets& fetched) {
  for (const config::Key& key : config.keys) {
    const config::Key* before = former.FindKey(key.key_id);
    const bool same_source = before && before->secret == key.secret && IsRemote(key.secret);
    if (!key.active || !same_source || fetched.secrets.contains(key.key_id)) continue;
    const auto secret = former.SecretOf(key.key_id);
    if (!secret) continue;
    fetched.secrets[key.key_id] = secret;
    fetched.warnings.push_back("key \"" + key.key_id + "\" keeps the secret it has");
  }
}

void TellRedactor(const router::Catalog::Secrets& secrets) {
  std::vector<std::string_view> known;
  known.reserve(secrets.size());
  for (const auto& [key_id, secret] : secrets) known.push_back(secret->Reveal());
  secrets::ProcessRedactor().SetSecrets(known);
}

}  // namespace requestrouter
