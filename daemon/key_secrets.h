#pragma once

#include <string>
#include <vector>

#include "daemon/config/config.h"
#include "daemon/router/catalog.h"

namespace requestrouter {

struct FetchedSecrets {
  router::Catalog::Secrets secrets;
  std::vector<std::string> warnings;  // keys without one and keys that share one, with the remedy
};

// Fetches the secret of every active key and tells the process's redactor. May block, for 45 s at
// most (a service manager gives a start 90 s): start-up and the helper thread only.
FetchedSecrets FetchSecrets(const config::Config& config, const config::Environment& environment);

// Whether what a key's secret comes from may be away for a while, so that asking again helps.
bool IsRemote(const config::SecretSource& source);

// After a reload: a key whose Vault or command did not give its secret this time keeps the one it
// has, with a warning.
void KeepFormer(const router::Catalog& former, const config::Config& config,
                FetchedSecrets& fetched);

// Tells the process's redactor of these. Router and helper thread.
void TellRedactor(const router::Catalog::Secrets& secrets);

}  // namespace requestrouter
