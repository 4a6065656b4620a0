#pragma once

#include <cstddef>
#include <string>

#include <tl/expected.hpp>

namespace requestrouter::config {

// No configuration of a host comes near it; a wrong path (a log, a device) does.
inline constexpr std::size_t kMaxFileBytes = 8 << 20;

// A whole file. The error is one line without the path that says what to do.
tl::expected<std::string, std::string> ReadTextFile(const std::string& path,
                                                    std::size_t max_bytes = kMaxFileBytes);

}  // namespace requestrouter::config
