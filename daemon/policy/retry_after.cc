#include "daemon/policy/retry_after.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <ctime>
#include <system_error>

namespace requestrouter::policy {
namespace {

Duration Seconds(double seconds) {
  constexpr double kMost = std::chrono::duration<double>(kLongestDelay).count();
  return std::chrono::ceil<std::chrono::milliseconds>(
      std::chrono::duration<double>(std::clamp(seconds, 0.0, kMost)));
}

// A decimal number that fills all of `text`.
std::optional<double> ParseDecimal(std::string_view text) {
  double number = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  if (!whole || !std::isfinite(number)) return std::nullopt;
  return number;
}

// The three forms of an HTTP date (RFC 9110, 5.6.7), the first of which is what servers send.
std::optional<std::int64_t> ParseHttpDate(const std::string& text) {
  for (const char* form :
       {"%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"}) {
    std::tm parts{};
    const char* end = strptime(text.c_str(), form, &parts);
    if (end && *end == '\0') return timegm(&parts);
  }
  return std::nullopt;
}

// "2026-01-31T12:00:00Z", as Anthropic writes resets.
std::optional<std::int64_t> ParseUtcInstant(const std::string& text) {
  std::tm parts{};
  const char* end = strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &parts);
  if (!end) return std::nullopt;
  return timegm(&parts);
}

std::optional<Duration> UntilInstant(const std::string& text, std::int64_t wall_now_s) {
  const std::optional<std::int64_t> at = ParseUtcInstant(text);
  if (!at) return std::nullopt;
  return Seconds(static_cast<double>(*at - wall_now_s));
}

}  // namespace

const std::string* FindHeader(const Headers& headers, std::string_view name) {
  const auto found = std::find_if(headers.begin(), headers.end(),
                                  [&](const auto& header) { return header.first == name; });
  return found == headers.end() ? nullptr : &found->second;
}

std::optional<Duration> ParseRetryAfter(std::string_view value, std::int64_t wall_now_s) {
  if (const std::optional<double> seconds = ParseDecimal(value)) return Seconds(*seconds);
  if (const std::optional<std::int64_t> at = ParseHttpDate(std::string(value))) {
    return Seconds(static_cast<double>(*at - wall_now_s));
  }
  return std::nullopt;
}

std::optional<Duration> ParseGoDuration(std::string_view value) {
  double seconds = 0;
  if (value.empty()) return std::nullopt;
  while (!value.empty()) {
    const std::size_t digits = std::min(value.find_first_not_of("0123456789."), value.size());
    const std::optional<double> number = ParseDecimal(value.substr(0, digits));
    if (!number) return std::nullopt;
    value.remove_prefix(digits);
    const std::size_t letters = std::min(value.find_first_of("0123456789."), value.size());
    const std::string_view unit = value.substr(0, letters);
    value.remove_prefix(letters);
    if (unit == "ms") {
      seconds += *number / 1000;
    } else if (unit == "s") {
      seconds += *number;
    } else if (unit == "m") {
      seconds += *number * 60;
    } else if (unit == "h") {
      seconds += *number * 3600;
    } else if (unit == "d") {
      seconds += *number * 86'400;
    } else {
      return std::nullopt;
    }
  }
  return Seconds(seconds);
}

std::optional<Duration> DelayInWords(std::string_view message) {
  for (const std::string_view words : {"try again in ", "retry in ", "retry after "}) {
    const std::size_t found = message.find(words);
    if (found == std::string_view::npos) continue;
    std::string_view rest = message.substr(found + words.size());
    std::string_view word = rest.substr(0, rest.find(' '));
    while (!word.empty() && (word.back() == '.' || word.back() == ',')) word.remove_suffix(1);
    if (const auto delay = ParseGoDuration(word)) return delay;
    const std::optional<double> number = ParseDecimal(word);
    if (!number || word.size() == rest.size()) continue;
    rest.remove_prefix(word.size() + 1);
    for (const auto& [unit, seconds] : {std::pair("millisecond", 0.001), std::pair("second", 1.0),
                                        std::pair("minute", 60.0), std::pair("hour", 3600.0)}) {
      if (rest.substr(0, std::string_view(unit).size()) == unit) return Seconds(*number * seconds);
    }
  }
  return std::nullopt;
}

std::optional<ToldDelay> ReadDelay(const Headers& headers, std::int64_t wall_now_s) {
  if (const std::string* ms = FindHeader(headers, "retry-after-ms")) {
    if (const auto number = ParseDecimal(*ms)) {
      return ToldDelay{Seconds(*number / 1000), "retry-after-ms header"};
    }
  }
  if (const std::string* value = FindHeader(headers, "retry-after")) {
    if (const auto delay = ParseRetryAfter(*value, wall_now_s)) {
      return ToldDelay{*delay, "retry-after header"};
    }
  }
  // Without a Retry-After: the reset of the limit that has nothing left.
  for (const char* kind : {"requests", "tokens"}) {
    const std::string* left = FindHeader(headers, std::string("x-ratelimit-remaining-") + kind);
    const std::string* reset = FindHeader(headers, std::string("x-ratelimit-reset-") + kind);
    if (!left || !reset || *left != "0") continue;
    if (const auto delay = ParseGoDuration(*reset)) {
      return ToldDelay{*delay, std::string("x-ratelimit-reset-") + kind + " header"};
    }
  }
  for (const char* kind : {"requests", "tokens", "input-tokens", "output-tokens"}) {
    const std::string prefix = std::string("anthropic-ratelimit-") + kind;
    const std::string* left = FindHeader(headers, prefix + "-remaining");
    const std::string* reset = FindHeader(headers, prefix + "-reset");
    if (!left || !reset || *left != "0") continue;
    if (const auto delay = UntilInstant(*reset, wall_now_s)) {
      return ToldDelay{*delay, prefix + "-reset header"};
    }
  }
  return std::nullopt;
}

}  // namespace requestrouter::policy
