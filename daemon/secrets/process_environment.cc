#include "daemon/secrets/process_environment.h"

#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <string_view>

#include "daemon/secrets/secrets.h"
#include "daemon/secrets/sources.h"

namespace requestrouter::secrets {
namespace {

constexpr std::array kSecretWords = {"KEY", "TOKEN", "SECRET", "PASSWORD"};

bool IsSecret(std::string name) {
  std::transform(name.begin(), name.end(), name.begin(),
                 [](char c) { return 'a' <= c && c <= 'z' ? static_cast<char>(c - 32) : c; });
  return std::any_of(kSecretWords.begin(), kSecretWords.end(),
                     [&](const char* word) { return name.find(word) != std::string::npos; });
}

using Taken = std::map<std::string, Secret, std::less<>>;

// Leaves the names in the block, without values.
Taken TakeSecrets() {
  Taken taken;
  for (char** entry = ::environ; entry && *entry; ++entry) {
    char* const equals = strchr(*entry, '=');
    if (!equals || equals == *entry) continue;
    std::string name(*entry, equals);
    if (!IsSecret(name)) continue;
    const std::size_t size = strlen(equals + 1);
    taken.insert_or_assign(std::move(name), Secret(std::string_view(equals + 1, size)));
    explicit_bzero(equals + 1, size);
  }
  return taken;
}

}  // namespace

config::Environment ProcessEnvironment() {
  static const Taken& taken = *new Taken(TakeSecrets());  // for as long as the process runs
  config::Environment environment = config::ProcessEnvironment();
  for (const auto& [name, secret] : taken) environment[name] = secret.Reveal();
  return environment;
}

void Wipe(config::Environment& environment) {
  for (auto& [name, value] : environment) Wipe(value);
  environment.clear();
}

}  // namespace requestrouter::secrets
