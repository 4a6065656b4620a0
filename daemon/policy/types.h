#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// Words that all of policy shares. Policy is pure: standard library only, time is an argument,
// randomness is seeded, nothing is thread-safe (everything lives on the router thread).
namespace requestrouter::policy {

using Instant = std::chrono::steady_clock::time_point;
using Duration = std::chrono::steady_clock::duration;

inline constexpr Instant kNever = Instant::max();

// How demanding work is, and which models are for it. kAuto, of requests only: by their size.
enum class Tier : std::uint8_t { kLight, kMedium, kHeavy, kAuto };
inline constexpr std::array<Tier, 3> kTiers = {Tier::kLight, Tier::kMedium, Tier::kHeavy};
inline constexpr std::array<std::string_view, 3> kTierNames = {"light", "medium", "heavy"};

// The next instant after `now` at which a provider's day begins. Passed in, because policy knows
// no time zones.
using NextReset = std::function<Instant(Instant now)>;

// What one attempt takes of a quota. Output is what is expected until it is known.
struct Demand {
  std::int64_t input_tokens = 0;
  std::int64_t output_tokens = 0;      // expected, then actual
  std::int64_t max_output_tokens = 0;  // the request's own limit
  std::int64_t cached_tokens = 0;      // of the input; known only afterwards
};

// What a provider counts against its limit of tokens a minute.
enum class Counts : std::uint8_t { kInput, kInputAndOutput, kInputAndMaxOutput };

// How a provider spends a minute's requests: all at once, or evenly.
enum class Burst : std::uint8_t { kWindow, kSmooth };

struct Limit {
  std::int64_t amount = 0;
  Duration window = std::chrono::seconds(60);  // ignored by day limits
  bool operator==(const Limit&) const = default;
};

// The limits of one model within one quota group. Absent: not limited.
struct LimitSet {
  std::optional<Limit> rpm, tpm, itpm, otpm;
  std::optional<std::int64_t> rpd, tpd;
  std::optional<std::int64_t> max_in_flight;
  Counts counts = Counts::kInput;
  bool cached_counts = true;  // whether cached input counts as input
  Burst burst = Burst::kWindow;
  Duration guard = std::chrono::milliseconds(250);  // added to windows: network skew
  NextReset day_reset;                              // null: a rolling 24 h
};

}  // namespace requestrouter::policy
