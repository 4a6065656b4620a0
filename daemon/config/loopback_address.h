#pragma once

#include <string>
#include <string_view>

#include <tl/expected.hpp>

namespace requestrouter::config {

// Where metrics may be served: "127.0.0.1:9464" (any of 127.0.0.0/8), "[::1]:9464" or
// "localhost:9464", because whoever can connect can read them. Port 0: the system chooses one.
// Returns the address with "localhost" as 127.0.0.1. The error says what it must be.
tl::expected<std::string, std::string> LoopbackAddress(std::string_view text);

}  // namespace requestrouter::config
