#pragma once

#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "daemon/config/config.h"
#include "daemon/key_secrets.h"
#include "ipc/error.h"

namespace requestrouter {

// A configuration that has been read again, complete with secrets.
struct Reloaded {
  config::Config config;
  FetchedSecrets fetched;
  std::vector<std::string> warnings;  // of the file
};

// Reads the configuration from where it came from. Blocks: start-up and the helper thread only.
class Reloader {
 public:
  struct Configuration {
    config::Loaded loaded;
    config::Environment environment;  // the process's over the .env file's
  };

  // `env_file` may be empty.
  Reloader(std::string config_path, std::string env_file);

  tl::expected<Configuration, std::vector<config::Problem>> Load() const;

  // All of it, secrets included; the error names every mistake.
  ipc::Result<Reloaded> Read() const;

 private:
  const std::string config_path_;
  const std::string env_file_;
};

}  // namespace requestrouter
