#include "client_lib/routerctl/text.h"

#include <array>
#include <charconv>
#include <clocale>
#include <cstdio>
#include <ctime>
#include <cwchar>
#include <system_error>

namespace requestrouter::routerctl {
namespace {

using std::chrono::milliseconds;
using std::chrono::system_clock;

constexpr std::size_t kInvalid = static_cast<std::size_t>(-1);

// Characters are read in UTF-8 whatever the user's locale is. Part of glibc since 2.35.
void UseUtf8() {
  [[maybe_unused]] static const char* const set = std::setlocale(LC_CTYPE, "C.UTF-8");
}

// Calls visit(bytes, character) for every character; an invalid byte comes as character 0.
template <typename Visit>
void ForEachCharacter(std::string_view text, Visit visit) {
  UseUtf8();
  std::mbstate_t state{};
  while (!text.empty()) {
    wchar_t character = 0;
    std::size_t length = std::mbrtowc(&character, text.data(), text.size(), &state);
    if (length == 0 || length > text.size()) {
      if (length >= kInvalid - 1) state = {};
      length = 1;
      character = 0;
    }
    visit(text.substr(0, length), character);
    text.remove_prefix(length);
  }
}

struct Unit {
  std::int64_t ms;
  const char* name;
};
constexpr std::array kUnits = {Unit{86'400'000, "d"}, Unit{3'600'000, "h"}, Unit{60'000, "m"},
                               Unit{1'000, "s"}};

std::optional<milliseconds> ParseDuration(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  if (error != std::errc() || number < 0 || number > 1'000'000) return std::nullopt;
  for (const Unit& known : kUnits) {
    if (unit == known.name) return milliseconds(number * known.ms);
  }
  return std::nullopt;
}

}  // namespace

std::string Printable(std::string_view text, bool keep_lines) {
  std::string result;
  ForEachCharacter(text, [&](std::string_view bytes, wchar_t character) {
    const bool kept = keep_lines && (character == L'\n' || character == L'\t');
    if (kept || (character != 0 && wcwidth(character) >= 0)) {
      result += bytes;
    } else {
      result += '?';
    }
  });
  return result;
}

std::size_t Width(std::string_view text) {
  std::size_t width = 0;
  ForEachCharacter(text, [&](std::string_view, wchar_t character) {
    const int columns = wcwidth(character);
    width += columns < 0 ? 1 : static_cast<std::size_t>(columns);
  });
  return width;
}

std::string Duration(milliseconds duration) {
  std::int64_t left = duration.count();
  if (left < 0) return "-" + Duration(-duration);
  if (left < 1'000) return std::to_string(left) + " ms";
  for (std::size_t i = 0; i < kUnits.size(); ++i) {
    if (left < kUnits[i].ms) continue;
    std::string text = std::to_string(left / kUnits[i].ms) + kUnits[i].name;
    if (i + 1 < kUnits.size()) {
      const std::int64_t rest = left % kUnits[i].ms / kUnits[i + 1].ms;
      if (rest > 0) text += " " + std::to_string(rest) + kUnits[i + 1].name;
    }
    return text;
  }
  return "0 ms";
}

std::string Count(std::int64_t number) {
  std::string text = std::to_string(number);
  const std::size_t first = number < 0 ? 1 : 0;
  for (std::size_t at = text.size(); at > first + 3;) {
    at -= 3;
    text.insert(at, ",");
  }
  return text;
}

std::optional<system_clock::time_point> ParseTime(const std::string& text) {
  std::tm parts{};
  const char* rest = strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &parts);
  if (!rest) return std::nullopt;
  double fraction = 0;
  if (*rest == '.') {
    const auto [end, error] = std::from_chars(rest, text.c_str() + text.size(), fraction);
    if (error != std::errc()) return std::nullopt;
    rest = end;
  }
  if (std::string_view(rest) != "Z") return std::nullopt;
  return system_clock::from_time_t(timegm(&parts)) +
         milliseconds(static_cast<std::int64_t>(fraction * 1'000));
}

std::string FormatTime(system_clock::time_point at) {
  const auto since = std::chrono::duration_cast<milliseconds>(at.time_since_epoch());
  const std::time_t seconds = since.count() / 1'000;
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  std::array<char, 32> day;
  std::strftime(day.data(), day.size(), "%Y-%m-%dT%H:%M:%S", &parts);
  std::array<char, 48> text;
  std::snprintf(text.data(), text.size(), "%s.%03dZ", day.data(),
                static_cast<int>(since.count() % 1'000));
  return text.data();
}

std::string Relative(const std::string& time, system_clock::time_point now) {
  const auto at = ParseTime(time);
  if (!at) return Printable(time);
  const auto ahead = std::chrono::duration_cast<milliseconds>(*at - now);
  if (ahead >= milliseconds(1'000)) return "in " + Duration(ahead);
  if (ahead <= milliseconds(-1'000)) return Duration(-ahead) + " ago";
  return "now";
}

std::optional<std::string> ParseSince(const std::string& text, system_clock::time_point now) {
  if (text == "today") return FormatTime(std::chrono::floor<std::chrono::days>(now));
  if (const auto duration = ParseDuration(text)) return FormatTime(now - *duration);
  for (const std::string& time : {text, text + "T00:00:00Z"}) {
    if (const auto at = ParseTime(time)) return FormatTime(*at);
  }
  return std::nullopt;
}

}  // namespace requestrouter::routerctl
