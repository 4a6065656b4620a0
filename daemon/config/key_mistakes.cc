#include "daemon/config/key_mistakes.h"

#include <algorithm>
#include <array>

#include "daemon/config/fields.h"

namespace requestrouter::config {

std::vector<std::string_view> SecretsIn(const ObjectReader& key) {
  constexpr std::array<std::string_view, 7> kFolded = {
      "apikey", "key", "token", "password", "apitoken", "secretkey", "keyvalue"};
  std::vector<std::string_view> names;
  for (const Member& member : key.node().members) {
    if (std::find(kFolded.begin(), kFolded.end(), Folded(member.name)) != kFolded.end()) {
      names.push_back(member.name);
    }
  }
  return names;
}

void WarnOfSecrets(const ObjectReader& key, const std::string& key_id) {
  for (const std::string_view name : SecretsIn(key)) {
    key.report().Warn(key.LineOf(name), key.PathOf(name),
                      "secrets are not read from this file; remove it and set API_KEY_" +
                          (key_id.empty() ? "<key_id>" : key_id) +
                          " in the environment or the .env file");
  }
}

std::vector<std::string_view> MisplacedTagsIn(const ObjectReader& key) {
  std::vector<std::string_view> names;
  for (const std::string_view tag : kTagFields) {
    if (!key.Has(tag)) continue;
    names.push_back(tag);
    key.report().Warn(key.LineOf(tag), key.PathOf(tag), "is not read here; it belongs in \"tags\"");
  }
  return names;
}

}  // namespace requestrouter::config
