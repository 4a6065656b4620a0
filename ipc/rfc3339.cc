#include "ipc/rfc3339.h"

#include <chrono>
#include <cstdio>
#include <string>

namespace requestrouter::ipc {
namespace {

// Offset in minutes of "Z", "+hh:mm" or "-hh:mm"; nullopt for anything else.
std::optional<int> ParseOffset(const std::string& text) {
  if (text == "Z" || text == "z") return 0;
  char sign = 0;
  int hours = 0;
  int minutes = 0;
  int used = 0;
  if (std::sscanf(text.c_str(), "%c%2d:%2d%n", &sign, &hours, &minutes, &used) != 3) {
    return std::nullopt;
  }
  const bool whole = static_cast<std::size_t>(used) == text.size();
  if (!whole || (sign != '+' && sign != '-') || hours > 23 || minutes > 59) return std::nullopt;
  return (sign == '-' ? -1 : 1) * (hours * 60 + minutes);
}

}  // namespace

std::optional<std::int64_t> ParseRfc3339(std::string_view view) {
  const std::string text(view);
  int year = 0;
  int month = 0;
  int day = 0;
  int hour = 0;
  int minute = 0;
  int second = 0;
  int used = 0;
  char separator = 0;
  if (std::sscanf(text.c_str(), "%4d-%2d-%2d%c%2d:%2d:%2d%n", &year, &month, &day, &separator,
                  &hour, &minute, &second, &used) != 7) {
    return std::nullopt;
  }
  if (separator != 'T' && separator != 't' && separator != ' ') return std::nullopt;
  std::size_t at = static_cast<std::size_t>(used);
  std::int64_t millis = 0;
  if (at < text.size() && text[at] == '.') {
    std::int64_t scale = 100;
    const std::size_t first = ++at;
    for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at, scale /= 10) {
      millis += (text[at] - '0') * scale;
    }
    if (at == first) return std::nullopt;
  }
  const std::optional<int> offset = ParseOffset(text.substr(at));
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!offset || !date.ok() || hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 ||
      second > 60) {
    return std::nullopt;
  }
  const auto days = std::chrono::sys_days(date).time_since_epoch().count();
  const std::int64_t minutes = (days * 24 + hour) * 60LL + minute - *offset;
  return (minutes * 60 + second) * 1000 + millis;
}

std::string FormatRfc3339(std::int64_t millis) {
  using std::chrono::milliseconds;
  const std::chrono::sys_time<milliseconds> instant{milliseconds(millis)};
  const auto day = std::chrono::floor<std::chrono::days>(instant);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss time(instant - day);
  char text[40];
  std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ",
                static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                static_cast<unsigned>(date.day()), static_cast<int>(time.hours().count()),
                static_cast<int>(time.minutes().count()), static_cast<int>(time.seconds().count()),
                static_cast<int>(time.subseconds().count()));
  return text;
}

}  // namespace requestrouter::ipc
