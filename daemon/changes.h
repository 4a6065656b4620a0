#pragma once

#include <string>
#include <vector>

#include "daemon/config/config.h"

// What a reload changed, for people. Pure.
namespace requestrouter {

// What differs between two configurations: "key gemini-01 added", "provider openai changed",
// "callers changed", "config.max_retries changed".
std::vector<std::string> Changes(const config::Config& before, const config::Config& after);

// The settings that hold from a start to the next one, and that `now` has others of: a warning for
// each.
std::vector<std::string> WaitingForARestart(const config::Settings& at_start,
                                            const config::Settings& now);

}  // namespace requestrouter
