#pragma once

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "daemon/secrets/secrets.h"

namespace requestrouter::secrets {

// A directory of the test's own that goes with it.
class PrivateDirectory {
 public:
  PrivateDirectory() {
    std::string name = (std::filesystem::temp_directory_path() / "rr-secrets-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) std::abort();
    path_ = name;
  }
  ~PrivateDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  PrivateDirectory(const PrivateDirectory&) = delete;
  PrivateDirectory& operator=(const PrivateDirectory&) = delete;

  const std::string& path() const { return path_; }
  std::string Write(const std::string& name, const std::string& text, mode_t mode) const {
    const std::string path = path_ + "/" + name;
    std::ofstream(path, std::ios::binary) << text;
    ::chmod(path.c_str(), mode);
    return path;
  }

 private:
  std::string path_;
};

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
