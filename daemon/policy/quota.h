#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "daemon/policy/classifier.h"
#include "daemon/policy/day_counter.h"
#include "daemon/policy/sliding_window.h"
#include "daemon/policy/status.h"
#include "daemon/policy/token_rule.h"
#include "daemon/policy/types.h"

namespace requestrouter::policy {

// What an attempt holds of a quota until it ends.
struct Reservation {
  Demand demand;
  Amounts amounts{};
  Instant at{};
  std::uint64_t serial = 0;
};

// All limits of one model within one quota group. A demand fits when it fits every limit;
// reserving takes it from all at once, and a demand that does not fit takes nothing.
//
// A reservation is an estimate. Its end is one of: Settle with what was used (what was not used is
// free at once; more than estimated may exceed a limit and counts), Settle without (usage
// unknown: the estimate stays), Refund (nothing was sent). Time never decreases.
class Quota {
 public:
  // The limit that stands in the way longest, and until when. `until` is kNever where only an
  // attempt's end helps (in flight), or nothing does (larger than the limit).
  struct Obstacle {
    LimitKind limit;
    Instant until;
  };

  explicit Quota(LimitSet limits);

  // What was counted against a limit that stays is kept (see DayCounter::SetRule of days that end
  // elsewhere).
  void SetLimits(LimitSet limits, Instant now);
  const LimitSet& limits() const { return limits_; }

  // The limit that is smaller than the demand, whatever the time.
  std::optional<LimitKind> NeverFits(const Demand& demand) const;
  std::optional<Obstacle> Check(const Demand& demand, Instant now) const;
  bool Fits(const Demand& demand, Instant now) const { return !Check(demand, now); }
  // The earliest instant at which the demand fits; kNever as in Obstacle.
  Instant ReadyAt(const Demand& demand, Instant now) const;
  // The earliest instant at which both would fit together.
  Instant ReadyAtBoth(const Demand& one, const Demand& other, Instant now) const;

  // Requires that it fits.
  Reservation Reserve(const Demand& demand, Instant now);
  // What the attempt counts for: as reserved, or, where that is known, by what it `used`.
  Amounts AmountsOf(const Reservation& reservation, const std::optional<Demand>& used) const;
  // `sent_at`: the provider counts when the request arrives, so it counts from then on here too.
  void Settle(const Reservation& reservation, const std::optional<Demand>& used,
              std::optional<Instant> sent_at, Instant now);
  void Refund(const Reservation& reservation, Instant now);

  // What the provider says is left: where that is less than believed, someone else uses the quota
  // or the limit is lower than configured, and the difference counts as used now. More than
  // believed changes nothing: attempts in flight may not have been counted there yet.
  void Correct(const RemainingQuota& remaining, Instant now);

  // The provider refused an attempt that is settled by now, because this minute limit is spent.
  // What it accepted before, if that is less than configured, is the limit from now on, though
  // within a window never less than half of what it was: a refusal may be a mistake. It rises again
  // by an eighth of the configured one with each window without such a refusal: the quota may have
  // been shared for a while. A demand above it goes when nothing else is in the window.
  void Learn(LimitKind kind, const Reservation& refused, Instant now);

  // What attempts of an earlier run of the program counted for together; counts from `at` in the
  // minute windows.
  void RestoreAttempts(const Amounts& counted, Instant at);
  // All that the minute windows still allow may have been used by `at`.
  void RestoreFullWindows(Instant at, Instant now);
  void RestoreDay(const Amounts& counted, Instant at, Instant now);
  // Forgets all counts, not what is in flight.
  void Clear();

  // The least remaining part of any limit, 0 to 1.
  double Headroom(Instant now) const;
  // When Headroom or Check next change by time alone.
  Instant NextChange(Instant now) const;
  std::int64_t in_flight() const { return in_flight_; }
  const SlidingWindow* Window(LimitKind kind) const;
  const DayCounter* Day(LimitKind kind) const;
  std::int64_t AmountOf(LimitKind kind) const;  // of a limit that is set
  ModelUsage Usage(Instant now) const;          // without the model's name
  Instant DayEnd(Instant now) const;            // of day quotas; kNever for a rolling day

  void SanityCheck() const;

 private:
  // Counts live in windows that may be born or cleared while an attempt is in flight: a
  // reservation of before must then not be taken out of them.
  struct Counted {
    SlidingWindow window;
    std::uint64_t born;
    std::int64_t configured;  // the window's limit, unless another has been learned
    std::int64_t floor = 0;   // below which this window's refusals teach nothing
    Instant learned_at = Instant::min();
    Instant raised_at = Instant::min();
  };
  struct CountedDay {
    DayCounter counter;
    std::uint64_t born;
  };

  Instant ReadyAtAmounts(const Amounts& amounts, std::int64_t attempts, Instant now,
                         LimitKind* limit) const;
  void SetMinuteLimit(LimitKind kind);
  void Raise(Instant now);
  Instant MinuteReadyAt(const Counted& counted, std::int64_t amount, Instant now) const;
  void SetDayLimit(LimitKind kind, const std::optional<std::int64_t>& amount, Instant now);
  void Replace(const Reservation& reservation, const Amounts& amounts, Instant at, Instant now);
  Duration Spacing() const;

  LimitSet limits_;
  std::array<std::optional<Counted>, kMinuteKinds> minutes_;
  std::array<std::optional<CountedDay>, kDayKinds> days_;
  std::int64_t in_flight_ = 0;
  Amounts amounts_in_flight_{};
  std::uint64_t serial_ = 0;
  Instant next_slot_ = Instant::min();  // with Burst::kSmooth
};

}  // namespace requestrouter::policy
