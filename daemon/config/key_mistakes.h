#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "daemon/config/object_reader.h"

// What people put into an entry of `keys` that does not belong there.
namespace requestrouter::config {

// The fields whose names say that they hold a secret.
std::vector<std::string_view> SecretsIn(const ObjectReader& key);

// People who paste the secret itself into the file learn where it belongs instead.
void WarnOfSecrets(const ObjectReader& key, const std::string& key_id);

// The fields that belong one level deeper, with a warning: people forget the braces around them.
std::vector<std::string_view> MisplacedTagsIn(const ObjectReader& key);

}  // namespace requestrouter::config
