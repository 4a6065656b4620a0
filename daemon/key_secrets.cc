#include "daemon/key_secrets.h"

#include <memory>

#include "daemon/secrets/redactor.h"
#include "daemon/secrets/secrets.h"

namespace requestrouter {

FetchedSecrets FetchSecrets(const config::Config& config, const config::Environment& environment) {
  FetchedSecrets fetched;
  std::vector<std::string_view> known;
  for (const config::Key& key : config.keys) {
    if (!key.active) continue;
    tl::expected<secrets::Secret, std::string> secret =
        secrets::Fetch(key, config.settings, environment);
    if (!secret) {
      fetched.missing.push_back("key " + key.key_id + " has no secret: " + secret.error());
      continue;
    }
    auto shared = std::make_shared<const secrets::Secret>(std::move(*secret));
    known.push_back(shared->Reveal());
    fetched.secrets[key.key_id] = std::move(shared);
  }
  secrets::ProcessRedactor().SetSecrets(known);
  return fetched;
}

}  // namespace requestrouter
