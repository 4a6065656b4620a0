#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <utility>
#include <vector>

// The provider's side of rate limits: what it counts, when it refuses, when it would not any more.
// Written apart from daemon/policy on purpose, as a plain list of what was taken when, so that a
// mistake there does not hide in a copy of itself here. Time is an argument.
namespace requestrouter::sim {

using Instant = std::chrono::steady_clock::time_point;
using Millis = std::chrono::milliseconds;

// In any `length` of time never more than `limit`: what was taken at t counts until just before
// t + length.
class Window {
 public:
  Window(std::int64_t limit, Millis length) : limit_(limit), length_(length) {}

  bool Fits(std::int64_t amount, Instant now);
  // When `amount` would fit if nothing else were taken; nullopt where it is above the limit itself.
  std::optional<Instant> FitsAt(std::int64_t amount, Instant now);
  void Take(std::int64_t amount, Instant now);
  std::int64_t Used(Instant now);
  // When everything that counts now has left the window; `now` where nothing counts.
  Instant EmptyAt(Instant now);

  // Changes the limit and keeps what was taken.
  void set_limit(std::int64_t limit) { limit_ = limit; }
  std::int64_t limit() const { return limit_; }
  std::int64_t total() const { return total_; }  // ever taken
  Millis length() const { return length_; }

 private:
  void Forget(Instant now);

  std::int64_t limit_;
  Millis length_;
  std::int64_t used_ = 0;
  std::int64_t total_ = 0;
  std::deque<std::pair<Instant, std::int64_t>> taken_;
};

enum class Limit : std::uint8_t { kRpm, kTpm, kInputTpm, kOutputTpm, kRpd, kTpd };
inline constexpr std::array kAllLimits = {Limit::kRpm,       Limit::kTpm, Limit::kInputTpm,
                                          Limit::kOutputTpm, Limit::kRpd, Limit::kTpd};

// "rpm", "tpm", "itpm", "otpm", "rpd", "tpd".
const char* NameOf(Limit limit);
bool IsDaily(Limit limit);
bool IsOfTokens(Limit limit);

// What tpm and tpd count. Input alone: Gemini. The input and what may come back (max_tokens), at
// the time of the request: OpenAI, which documents the larger of the two; the sum is stricter.
enum class Counts : std::uint8_t { kInput, kInputAndOutput, kInputAndMaxOutput };

struct LimitSet {
  std::array<std::optional<std::int64_t>, kAllLimits.size()> of;  // by Limit; absent: unlimited
  std::optional<Counts> counts;                                   // absent: the provider's own
  Millis minute{60'000};  // shorter ones let a test see a window pass
  Millis day{86'400'000};

  std::optional<std::int64_t>& operator[](Limit limit) {
    return of[static_cast<std::size_t>(limit)];
  }
  const std::optional<std::int64_t>& operator[](Limit limit) const {
    return of[static_cast<std::size_t>(limit)];
  }
};

// What one request takes of each limit.
struct Cost {
  std::int64_t input = 0;   // tokens
  std::int64_t cached = 0;  // of the input; not counted by itpm
  std::int64_t output = 0;
  std::int64_t max_output = 0;
  Counts counts = Counts::kInput;
};

struct Refusal {
  struct Violation {
    Limit limit;
    std::int64_t value;      // the limit itself
    std::int64_t used;       // before this request
    std::int64_t requested;  // by this request
  };
  std::vector<Violation> violations;
  Millis retry_after{0};  // when all of them would fit; the window's length where none ever would
};

// The limits of one quota group and model.
class Quota {
 public:
  struct State {
    Limit limit;
    std::int64_t value;
    std::int64_t used;
    std::int64_t total;  // taken since the beginning
    Millis length;
    Millis empty_in;  // until all of it is free again
  };

  explicit Quota(const LimitSet& limits);

  // Takes from every limit, or from none and says which ones refused.
  std::optional<Refusal> Take(const Cost& cost, Instant now);
  void Change(const LimitSet& limits);
  std::vector<State> States(Instant now);

 private:
  struct Slot {
    Limit limit;
    Window window;
  };
  static std::int64_t AmountOf(Limit limit, const Cost& cost);

  std::vector<Slot> slots_;
};

}  // namespace requestrouter::sim
