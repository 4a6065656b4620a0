#pragma once

#include <vector>

#include "daemon/config/config.h"

namespace requestrouter {

// What is doubtful about a .env file beside the configuration that it goes with: secrets that
// others may read, API_KEY_… variables of no key, misspelt settings, and secrets that have no
// effect because the process's environment holds others. Looks at the file's permissions.
std::vector<config::Problem> DoubtsOf(const config::Dotenv& dotenv,
                                      const config::Environment& process,
                                      const config::Config& config);

}  // namespace requestrouter
