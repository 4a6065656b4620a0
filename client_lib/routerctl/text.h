#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// Values in the form people read. Pure.
namespace requestrouter::routerctl {

// Control characters and invalid UTF-8 as '?': what other callers wrote (conversation ids, labels)
// must not steer the terminal of who looks at it. Line feeds and tabs are kept with `keep_lines`.
std::string Printable(std::string_view text, bool keep_lines = false);

// Columns on a terminal; wide characters count two, combining ones none (wcwidth(3)).
std::size_t Width(std::string_view text);

// The two largest units: "3m 20s", "2d 4h", "250 ms".
std::string Duration(std::chrono::milliseconds duration);

// 1234567 as "1,234,567".
std::string Count(std::int64_t number);

// The instant of an RFC 3339 UTC text as the protocol writes it; nullopt for another text.
std::optional<std::chrono::system_clock::time_point> ParseTime(const std::string& text);
std::string FormatTime(std::chrono::system_clock::time_point at);

// "in 3m 20s", "4h 2m ago" or "now"; the text itself where it is no time.
std::string Relative(const std::string& time, std::chrono::system_clock::time_point now);

// "90s", "15m", "12h", "7d", "today" or a date (in UTC), or an RFC 3339 time, as an RFC 3339 time.
std::optional<std::string> ParseSince(const std::string& text,
                                      std::chrono::system_clock::time_point now);

}  // namespace requestrouter::routerctl
