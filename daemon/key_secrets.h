#pragma once

#include <string>
#include <vector>

#include "daemon/config/config.h"
#include "daemon/router/catalog.h"

namespace requestrouter {

struct FetchedSecrets {
  router::Catalog::Secrets secrets;
  std::vector<std::string> missing;  // a line for each key that has none, with the remedy
};

// Fetches the secret of every active key and tells the process's redactor. May block: start-up and
// the helper thread only.
FetchedSecrets FetchSecrets(const config::Config& config, const config::Environment& environment);

// Tells the process's redactor of these and, because attempts may still use it, of `former`.
void TellRedactor(const router::Catalog::Secrets& secrets, const secrets::Secret* former);

}  // namespace requestrouter
