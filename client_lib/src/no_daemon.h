#pragma once

#include <string>

#include "requestrouter/error.h"

namespace requestrouter::client {

// Why nothing answers at `endpoint`, with the remedy: kPermissionDenied where the socket may not be
// opened, otherwise kNoDaemon. Looks at the socket file; never blocks.
Error ExplainNoDaemon(const std::string& endpoint);

}  // namespace requestrouter::client
