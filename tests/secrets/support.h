#pragma once

#include <string>

#include "daemon/secrets/secrets.h"
#include "tests/support/temp_dir.h"

namespace requestrouter::secrets {

inline config::Key KeyNamed(const std::string& key_id, config::SecretSource source = {}) {
  config::Key key;
  key.key_id = key_id;
  key.secret = std::move(source);
  return key;
}

// The secret of key "a", or the error without what begins every one.
inline std::string OutcomeOf(config::SecretSource source, const config::Environment& environment,
                             const config::Settings& settings = {}) {
  const auto secret = Fetch(KeyNamed("a", std::move(source)), settings, environment);
  if (secret) return std::string(secret->Reveal());
  const std::string prefix = "no secret for key \"a\": ";
  return secret.error().compare(0, prefix.size(), prefix) == 0
             ? secret.error().substr(prefix.size())
             : "unexpected: " + secret.error();
}

}  // namespace requestrouter::secrets
