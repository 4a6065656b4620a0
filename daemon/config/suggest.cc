#include "daemon/config/suggest.h"

namespace requestrouter::config {
namespace {

constexpr std::size_t kLongest = 64;  // longer texts are no misspelt names

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool Same(char a, char b) { return Lower(a) == Lower(b); }

}  // namespace

std::size_t EditDistance(std::string_view a, std::string_view b) {
  if (a.size() > kLongest || b.size() > kLongest) return kLongest;
  std::vector<std::size_t> before_last, last(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replace = last[j - 1] + (Same(a[i - 1], b[j - 1]) ? 0 : 1);
      row[j] = std::min({replace, last[j] + 1, row[j - 1] + 1});
      const bool swapped = i > 1 && j > 1 && Same(a[i - 1], b[j - 2]) && Same(a[i - 2], b[j - 1]);
      if (swapped) row[j] = std::min(row[j], before_last[j - 2] + 1);
    }
    before_last = last;
    last = row;
  }
  return last[b.size()];
}

std::size_t OtherCases(std::string_view a, std::string_view b) {
  std::size_t others = 0;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) others += a[i] != b[i];
  return others;
}

std::string Folded(std::string_view name) {
  std::string folded;
  for (const char c : name) {
    const char lower = Lower(c);
    if ((lower >= 'a' && lower <= 'z') || (lower >= '0' && lower <= '9')) folded += lower;
  }
  return folded;
}

}  // namespace requestrouter::config
