#include "client_lib/routerctl/bar.h"

#include <langinfo.h>
#include <locale.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include "client_lib/routerctl/text.h"

namespace requestrouter::routerctl {
namespace {

constexpr std::array kHeights = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
constexpr std::array kAsciiHeights = {".", ":", "-", "=", "+", "*", "#", "@"};

bool IsContinuation(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) == 0x80; }

std::string Times(const char* text, std::size_t times) {
  std::string all;
  for (std::size_t i = 0; i < times; ++i) all += text;
  return all;
}

// The length in bytes of the character at the front of `text`.
std::size_t FirstLength(std::string_view text) {
  std::size_t length = 1;
  while (length < text.size() && IsContinuation(text[length])) ++length;
  return length;
}

}  // namespace

bool LocaleIsUtf8() {
  locale_t locale = newlocale(LC_CTYPE_MASK, "", nullptr);
  if (!locale) return false;
  const bool utf8 = std::strcmp(nl_langinfo_l(CODESET, locale), "UTF-8") == 0;
  freelocale(locale);
  return utf8;
}

std::string Bar(double share, std::size_t width, bool utf8) {
  if (width == 0) return {};
  share = std::clamp(share, 0.0, 1.0);
  auto full = static_cast<std::size_t>(std::lround(share * static_cast<double>(width)));
  if (share > 0) full = std::max<std::size_t>(full, 1);
  if (share < 1) full = std::min(full, width - 1);
  return Times(utf8 ? "█" : "#", full) + Times(utf8 ? "░" : ".", width - full);
}

std::string Sparkline(const std::vector<double>& values, bool utf8) {
  const auto& heights = utf8 ? kHeights : kAsciiHeights;
  const double most = values.empty() ? 0 : *std::max_element(values.begin(), values.end());
  std::string line;
  for (const double value : values) {
    if (value <= 0 || most <= 0) {
      line += utf8 ? "·" : "_";
      continue;
    }
    const double steps = std::ceil(value / most * static_cast<double>(heights.size()));
    line += heights[std::min(static_cast<std::size_t>(steps), heights.size()) - 1];
  }
  return line;
}

std::string Cut(std::string_view text, std::size_t columns, bool utf8) {
  if (Width(text) <= columns) return std::string(text);
  if (columns == 0) return {};
  std::string kept;
  std::size_t width = 0;
  while (!text.empty()) {
    const std::string_view first = text.substr(0, FirstLength(text));
    const std::size_t more = Width(first);
    if (width + more > columns - 1) break;
    kept += first;
    width += more;
    text.remove_prefix(first.size());
  }
  return kept + (utf8 ? "…" : "~");
}

std::string Ascii(std::string_view text) {
  std::string ascii;
  for (const char byte : text) {
    if (IsContinuation(byte)) continue;
    ascii += static_cast<unsigned char>(byte) < 0x80 ? byte : '?';
  }
  return ascii;
}

}  // namespace requestrouter::routerctl
