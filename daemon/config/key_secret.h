#pragma once

#include <string>

#include "daemon/config/object_reader.h"

namespace requestrouter::config {

// The field `secret` of a key: `"env:NAME"`, `{"file": "/path"}` and so on. A key without it has
// the kind of `settings.secret_store`. Messages never show a string that is not of this form,
// because it may be the secret itself.
SecretSource ReadSecretSource(const ObjectReader& key, const Settings& settings,
                              const std::string& directory);

}  // namespace requestrouter::config
