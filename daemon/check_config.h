#pragma once

#include <string>
#include <vector>

#include "daemon/config/config.h"

// What is said of a configuration on stderr and stdout, before there is a log.
namespace requestrouter {

// One line on stderr. A name in a file that is misread may be a secret in truth, so it passes the
// process's redactor.
void Print(const char* who, const std::string& message);

// Errors and warnings, a line each on stderr.
void PrintProblems(const std::vector<config::Problem>& problems);

// `--check-config`: prints every mistake and doubt. `env_file` may be empty. Returns the exit code.
// Blocks as long as the sources of secrets do.
int CheckConfig(const std::string& config_path, const std::string& env_file);

}  // namespace requestrouter
