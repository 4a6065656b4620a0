#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

// Quantities as lengths and heights of characters. Pure.
namespace requestrouter::routerctl {

// Do the terminal and the user's locale (LC_ALL, LC_CTYPE, LANG) take UTF-8?
bool LocaleIsUtf8();

// `width` characters of which the first part `share` (0 to 1, clamped) is full; what is more than
// nothing shows at least one, and what is less than all leaves one empty.
std::string Bar(double share, std::size_t width, bool utf8);

// One character a value, as high as its part of the greatest; 0 is "·", "_" without UTF-8.
std::string Sparkline(const std::vector<double>& values, bool utf8);

// The first `columns` columns of a text, with "…" (or "~" without UTF-8) where something is cut.
std::string Cut(std::string_view text, std::size_t columns, bool utf8);

// Every character that is not ASCII as '?'.
std::string Ascii(std::string_view text);

}  // namespace requestrouter::routerctl
