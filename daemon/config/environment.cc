#include <unistd.h>

#include <string_view>

#include "daemon/config/config.h"

namespace requestrouter::config {

Environment ProcessEnvironment() {
  Environment environment;
  for (char** entry = ::environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const auto equals = text.find('=');
    if (equals == 0 || equals == std::string_view::npos) continue;
    environment.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return environment;
}

Environment Merge(const Environment& dotenv, const Environment& process) {
  Environment merged = process;
  merged.insert(dotenv.begin(), dotenv.end());  // keeps what is there
  return merged;
}

}  // namespace requestrouter::config
