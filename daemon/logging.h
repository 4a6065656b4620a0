#pragma once

#include <string>

namespace requestrouter {

// Sets up the process's default spdlog logger: to stderr, every message through the redactor.
// `level`: trace, debug, info, warn (or warning), error, off; in any case. False: not a level.
bool SetUpLogging(const std::string& level);

}  // namespace requestrouter
