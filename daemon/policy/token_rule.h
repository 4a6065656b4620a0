#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "daemon/policy/types.h"

// What providers count against which limit. Limits and rules come from the configuration
// (LimitSet); these are the facts behind the defaults of each kind of provider:
//
// Gemini (ai.google.dev/gemini-api/docs/rate-limits): requests per minute, *input* tokens per
//   minute and requests per day, per project and model, the day ending at midnight Pacific.
//   -> counts: input.
// OpenAI (platform.openai.com/docs/guides/rate-limits): "calculated as the maximum of max_tokens
//   and the estimated number of tokens based on the character count of your request", taken when
//   the request comes in. Compatible servers count the sum. -> counts: input+max_output, which is
//   never below either. Limits "can be quantized" (60,000 a minute as 1,000 a second) -> a limit's
//   `window_seconds`, or burst: smooth.
// Groq (console.groq.com/docs/rate-limits): cached tokens do not count -> cached_counts: false.
// Anthropic (platform.claude.com/docs/en/api/rate-limits): separate input and output tokens per
//   minute. Input is input_tokens + cache_creation_input_tokens; cache_read_input_tokens do not
//   count for current models. Output is counted as it is produced; max_tokens plays no part. A
//   bucket that refills continuously and holds a minute's worth: whoever stays within the sliding
//   window always stays within it too, since N(1 + t/60) are granted in any t seconds. "60 requests
//   per minute might be enforced as 1 request per second" -> burst: smooth. -> itpm, otpm,
//   cached_counts: false.
namespace requestrouter::policy {

enum class LimitKind : std::uint8_t { kRpm, kTpm, kItpm, kOtpm, kRpd, kTpd, kInFlight };

inline constexpr std::size_t kMinuteKinds = 4;  // the first ones: sliding windows
inline constexpr std::size_t kDayKinds = 2;     // the next ones
inline constexpr std::size_t kFirstDay = kMinuteKinds;
inline constexpr std::size_t kCountedKinds = kMinuteKinds + kDayKinds;

constexpr std::size_t IndexOf(LimitKind kind) { return static_cast<std::size_t>(kind); }

// "rpm", "tpm", …: as in the configuration.
const char* Name(LimitKind kind);

// To 0…10^12: demands come from callers and usage from providers, and sums of them must not
// overflow.
std::int64_t ClampTokens(std::int64_t tokens);

// What a demand takes of each limit but kInFlight, indexed by LimitKind.
using Amounts = std::array<std::int64_t, kCountedKinds>;

// The demand's values are clamped.
Amounts CountAmounts(const LimitSet& limits, const Demand& demand);

// The amount of a minute limit, where it is set.
std::optional<Limit> MinuteLimit(const LimitSet& limits, LimitKind kind);

}  // namespace requestrouter::policy
