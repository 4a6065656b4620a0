#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "daemon/policy/types.h"

namespace requestrouter::policy {

using Headers = std::vector<std::pair<std::string, std::string>>;  // names in lower case

// The value of a header; nullptr: not there.
const std::string* FindHeader(const Headers& headers, std::string_view name);

// Of what a provider asks for, whatever it says.
inline constexpr Duration kLongestDelay = std::chrono::hours(24);

// How long a Retry-After says to wait: seconds, also with a fraction, or an HTTP date against
// `wall_now_s` (RFC 9110, 10.2.3). A date or number in the past is zero; garbage is nullopt;
// nothing is longer than kLongestDelay.
std::optional<Duration> ParseRetryAfter(std::string_view value, std::int64_t wall_now_s);

// A duration as OpenAI writes it in x-ratelimit-reset-*: "6m0s", "1.5s", "20ms", "1h2m3s".
std::optional<Duration> ParseGoDuration(std::string_view value);

// The delay in a message for people: "Please try again in 9.816s" (OpenAI, Groq), "Please retry in
// 36.7s" (Gemini), "Please retry after 26 seconds" (Azure). nullopt: it names none.
std::optional<Duration> DelayInWords(std::string_view message);

// How long the headers say to wait, and which one said so.
struct ToldDelay {
  Duration delay{};
  std::string source;
};
std::optional<ToldDelay> ReadDelay(const Headers& headers, std::int64_t wall_now_s);

}  // namespace requestrouter::policy
