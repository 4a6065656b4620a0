#pragma once

#include <string>

namespace requestrouter {

// Sets up the process's default spdlog logger: to stderr, every message through the redactor.
// `level`: trace, debug, info, warn (or warning), error, off; in any case. False: not a level.
bool SetUpLogging(const std::string& level);

// Another level from now on; one that is not a level changes nothing. Any thread.
void SetLogLevel(const std::string& level);

}  // namespace requestrouter
