#include "daemon/key_secrets.h"

#include <memory>

#include "daemon/secrets/redactor.h"
#include "daemon/secrets/secrets.h"

namespace requestrouter {

FetchedSecrets FetchSecrets(const config::Config& config, const config::Environment& environment) {
  FetchedSecrets fetched;
  for (const config::Key& key : config.keys) {
    if (!key.active) continue;
    tl::expected<secrets::Secret, std::string> secret =
        secrets::Fetch(key, config.settings, environment);
    if (!secret) {
      fetched.missing.push_back("key " + key.key_id + " has no secret: " + secret.error());
      continue;
    }
    fetched.secrets[key.key_id] = std::make_shared<const secrets::Secret>(std::move(*secret));
  }
  TellRedactor(fetched.secrets, nullptr);
  return fetched;
}

void TellRedactor(const router::Catalog::Secrets& secrets, const secrets::Secret* former) {
  std::vector<std::string_view> known;
  for (const auto& [key_id, secret] : secrets) known.push_back(secret->Reveal());
  if (former) known.push_back(former->Reveal());
  secrets::ProcessRedactor().SetSecrets(known);
}

}  // namespace requestrouter
