#include "daemon/check_config.h"

#include <cstdio>
#include <cstdlib>

#include "daemon/key_secrets.h"
#include "daemon/reload.h"
#include "daemon/secrets/redactor.h"

namespace requestrouter {

void Print(const char* who, const std::string& message) {
  std::fprintf(stderr, "%s: %s\n", who, secrets::ProcessRedactor().Redact(message).c_str());
}

void PrintProblems(const std::vector<config::Problem>& problems) {
  for (const config::Problem& problem : problems) {
    Print(problem.warning ? "warning" : "error", config::ToString(problem));
  }
}

int CheckConfig(const std::string& config_path, const std::string& env_file) {
  const Reloader reader(config_path, env_file);
  const auto loaded = reader.Load();
  if (!loaded) {
    PrintProblems(loaded.error());
    return EXIT_FAILURE;
  }
  PrintProblems(loaded->loaded.warnings);
  const FetchedSecrets fetched = FetchSecrets(loaded->loaded.config, loaded->environment);
  for (const std::string& line : fetched.warnings) Print("warning", line);
  const std::size_t keys = loaded->loaded.config.keys.size();
  std::printf("%s: %zu key%s, %zu with a secret: no errors\n", config_path.c_str(), keys,
              keys == 1 ? "" : "s", fetched.secrets.size());
  return EXIT_SUCCESS;
}

}  // namespace requestrouter
