#include "daemon/secrets/key_patterns.h"

#include <algorithm>
#include <array>

namespace requestrouter::secrets {
namespace {

bool IsAlphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool IsKeyCharacter(char c) { return IsAlphanumeric(c) || c == '-' || c == '_' || c == '.'; }

// Of a bearer token (RFC 6750, 2.1) or a header's value without spaces.
bool IsTokenCharacter(char c) {
  return IsKeyCharacter(c) || c == '~' || c == '+' || c == '/' || c == '=' || c == '%' || c == ':';
}

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool BeginsWith(std::string_view text, std::string_view prefix, bool any_case) {
  if (text.size() < prefix.size()) return false;
  for (std::size_t i = 0; i < prefix.size(); ++i) {
    if ((any_case ? Lower(text[i]) : text[i]) != prefix[i]) return false;
  }
  return true;
}

template <typename Predicate>
std::size_t Run(std::string_view text, std::size_t begin, Predicate predicate) {
  while (begin < text.size() && predicate(text[begin])) ++begin;
  return begin;
}

// A key that begins with a prefix of its provider.
struct Prefix {
  std::string_view text;
  std::size_t least;   // characters after the prefix; fewer are an ordinary word
  bool within_a_word;  // also where letters stand before it
};

constexpr std::array<Prefix, 6> kPrefixes = {{{"sk-", 12, false},
                                              {"AIza", 20, true},
                                              {"AQ.", 20, false},
                                              {"gsk_", 12, false},
                                              {"xai-", 12, false},
                                              {"hvs.", 12, false}}};

constexpr std::array<std::string_view, 7> kNames = {
    "x-goog-api-key", "x-api-key", "x-vault-token", "authorization", "api_key", "api-key", "?key="};
constexpr std::string_view kLaterParameter = "&key=";  // as "?key=", which is as long
constexpr std::string_view kBearer = "bearer";
constexpr std::size_t kShortestToken = 8;
constexpr std::size_t kMostSeparators = 12;  // between a name and its value

// The end of the key that begins at `at`, or `at`.
std::size_t EndOfPrefixed(std::string_view text, std::size_t at) {
  const bool in_word = at > 0 && IsAlphanumeric(text[at - 1]);
  for (const Prefix& prefix : kPrefixes) {
    if (in_word && !prefix.within_a_word) continue;
    if (!BeginsWith(text.substr(at), prefix.text, false)) continue;
    const std::size_t begin = at + prefix.text.size();
    const std::size_t end = Run(text, begin, IsKeyCharacter);
    if (end - begin >= prefix.least) return end;
  }
  return at;
}

// Where the value begins: after quotes, colons, equals signs and spaces, of which there must be
// one. Bounded, so that a long run of them is not scanned again and again.
std::size_t SkipSeparators(std::string_view text, std::size_t at) {
  const std::size_t limit = std::min(text.size(), at + kMostSeparators);
  while (at < limit && std::string_view(" \t\"'\\:=").find(text[at]) != std::string_view::npos) {
    ++at;
  }
  return at;
}

// The value that follows the name of a header or parameter at `at`; empty where there is none.
Range NamedValue(std::string_view text, std::size_t at) {
  for (const std::string_view name : kNames) {
    const bool parameter = name.front() == '?';
    const bool ampersand = parameter && BeginsWith(text.substr(at), kLaterParameter, true);
    if (!ampersand && !BeginsWith(text.substr(at), name, true)) continue;
    const std::size_t after = at + name.size();
    std::size_t begin = parameter ? after : SkipSeparators(text, after);
    if (begin == after && !parameter) continue;
    if (BeginsWith(text.substr(begin), kBearer, true)) {
      begin = SkipSeparators(text, begin + kBearer.size());
    }
    const std::size_t end = Run(text, begin, IsTokenCharacter);
    if (end - begin >= kShortestToken) return {begin, end};
  }
  return {};
}

// What the first and the second character may be of a prefix or a name: every line of the log is
// looked at, and few pairs of letters get through both.
class Beginnings {
 public:
  constexpr Beginnings() {
    for (const Prefix& prefix : kPrefixes) Allow(prefix.text, false);
    for (const std::string_view name : kNames) Allow(name, true);
    Allow(kLaterParameter, true);
    Allow(kBearer, true);
  }
  constexpr bool Has(char first, char second) const {
    return first_[static_cast<unsigned char>(first)] && second_[static_cast<unsigned char>(second)];
  }

 private:
  constexpr void Allow(std::string_view text, bool any_case) {
    Allow(first_, text[0], any_case);
    Allow(second_, text[1], any_case);
  }
  static constexpr void Allow(std::array<bool, 256>& set, char c, bool any_case) {
    set[static_cast<unsigned char>(c)] = true;
    const bool is_letter = c >= 'a' && c <= 'z';
    if (any_case && is_letter) set[static_cast<unsigned char>(c - 'a' + 'A')] = true;
  }

  std::array<bool, 256> first_{};
  std::array<bool, 256> second_{};
};

constexpr Beginnings kBeginnings;

// Where a key or a name may begin, from `at` on; or the end.
std::size_t NextBeginning(std::string_view text, std::size_t at) {
  while (at + 1 < text.size() && !kBeginnings.Has(text[at], text[at + 1])) ++at;
  return at + 1 < text.size() ? at : text.size();
}

Range BearerToken(std::string_view text, std::size_t at) {
  if (!BeginsWith(text.substr(at), kBearer, true)) return {};
  const std::size_t after = at + kBearer.size();
  const std::size_t begin = SkipSeparators(text, after);
  const std::size_t end = begin == after ? begin : Run(text, begin, IsTokenCharacter);
  return end - begin >= kShortestToken ? Range{begin, end} : Range{};
}

}  // namespace

void FindKeyLike(std::string_view text, std::vector<Range>& ranges) {
  for (std::size_t at = NextBeginning(text, 0); at < text.size(); at = NextBeginning(text, at)) {
    Range range{at, EndOfPrefixed(text, at)};
    if (range.end == at) range = NamedValue(text, at);
    if (range.end == range.begin) range = BearerToken(text, at);
    if (range.end == range.begin) {
      ++at;
      continue;
    }
    ranges.push_back(range);
    at = range.end;
  }
}

}  // namespace requestrouter::secrets
