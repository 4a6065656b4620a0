#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace requestrouter::ipc {

// Milliseconds since the Unix epoch of an RFC 3339 instant, with "Z" or a numeric offset; nullopt
// for what is none. Written here because gcc 12 has no std::chrono::parse.
std::optional<std::int64_t> ParseRfc3339(std::string_view text);

// With milliseconds, in UTC: "2026-01-31T12:00:00.000Z".
std::string FormatRfc3339(std::int64_t millis);

}  // namespace requestrouter::ipc
