#include "daemon/policy/quota.h"

#include <algorithm>
#include <utility>

#include "daemon/policy/invariant.h"

// Limits, what fits them, and reservations.
namespace requestrouter::policy {
namespace {

LimitKind Kind(std::size_t index) { return static_cast<LimitKind>(index); }

}  // namespace

// Nothing is counted yet that could depend on the time.
Quota::Quota(LimitSet limits) { SetLimits(std::move(limits), Instant{}); }

void Quota::SetLimits(LimitSet limits, Instant now) {
  limits_ = std::move(limits);
  for (std::size_t i = 0; i < kMinuteKinds; ++i) SetMinuteLimit(Kind(i));
  SetDayLimit(LimitKind::kRpd, limits_.rpd, now);
  SetDayLimit(LimitKind::kTpd, limits_.tpd, now);
}

void Quota::SetMinuteLimit(LimitKind kind) {
  auto& counted = minutes_[IndexOf(kind)];
  const std::optional<Limit> limit = MinuteLimit(limits_, kind);
  if (!limit) {
    counted.reset();
  } else if (counted) {
    const bool same = counted->configured == limit->amount;
    counted->window.SetLimit(same ? counted->window.limit() : limit->amount,
                             limit->window + limits_.guard);
    counted->configured = limit->amount;
  } else {
    counted = Counted{{limit->amount, limit->window + limits_.guard}, serial_, limit->amount};
  }
}

void Quota::SetDayLimit(LimitKind kind, const std::optional<std::int64_t>& amount, Instant now) {
  auto& counted = days_[IndexOf(kind) - kFirstDay];
  if (!amount) {
    counted.reset();
  } else if (counted) {
    counted->counter.SetRule(*amount, limits_.day_reset, limits_.guard, now);
  } else {
    counted = CountedDay{{*amount, limits_.day_reset, limits_.guard}, serial_};
  }
}

std::optional<LimitKind> Quota::NeverFits(const Demand& demand) const {
  const Amounts amounts = CountAmounts(limits_, demand);
  for (std::size_t i = 0; i < kMinuteKinds; ++i) {
    if (minutes_[i] && amounts[i] > minutes_[i]->configured) return Kind(i);
  }
  for (std::size_t i = 0; i < days_.size(); ++i) {
    if (days_[i] && amounts[kFirstDay + i] > days_[i]->counter.limit()) return Kind(kFirstDay + i);
  }
  if (limits_.max_in_flight && *limits_.max_in_flight < 1) return LimitKind::kInFlight;
  return std::nullopt;
}

std::optional<Quota::Obstacle> Quota::Check(const Demand& demand, Instant now) const {
  LimitKind limit = LimitKind::kRpm;
  const Instant ready = ReadyAtAmounts(CountAmounts(limits_, demand), 1, now, &limit);
  if (ready <= now) return std::nullopt;
  return Obstacle{limit, ready};
}

Instant Quota::ReadyAt(const Demand& demand, Instant now) const {
  LimitKind limit{};
  return ReadyAtAmounts(CountAmounts(limits_, demand), 1, now, &limit);
}

Instant Quota::ReadyAtBoth(const Demand& one, const Demand& other, Instant now) const {
  Amounts sum = CountAmounts(limits_, one);
  const Amounts more = CountAmounts(limits_, other);
  for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += more[i];
  LimitKind limit{};
  return ReadyAtAmounts(sum, 2, now, &limit);
}

Instant Quota::MinuteReadyAt(const Counted& counted, std::int64_t amount, Instant now) const {
  const std::int64_t limit = counted.window.limit();
  return counted.window.ReadyAt(amount > counted.configured ? amount : std::min(amount, limit),
                                now);
}

Instant Quota::ReadyAtAmounts(const Amounts& amounts, std::int64_t attempts, Instant now,
                              LimitKind* limit) const {
  Instant ready = now;
  const auto wait_for = [&](Instant at, LimitKind kind) {
    if (at <= ready) return;
    ready = at;
    *limit = kind;
  };
  for (std::size_t i = 0; i < kMinuteKinds; ++i) {
    if (minutes_[i]) wait_for(MinuteReadyAt(*minutes_[i], amounts[i], now), Kind(i));
  }
  for (std::size_t i = 0; i < days_.size(); ++i) {
    const std::size_t kind = kFirstDay + i;
    if (days_[i]) wait_for(days_[i]->counter.ReadyAt(amounts[kind], now), Kind(kind));
  }
  if (limits_.burst == Burst::kSmooth && limits_.rpm) {
    wait_for(next_slot_ + (attempts - 1) * Spacing(), LimitKind::kRpm);
  }
  if (limits_.max_in_flight && in_flight_ + attempts > *limits_.max_in_flight) {
    wait_for(kNever, LimitKind::kInFlight);
  }
  return ready;
}

Duration Quota::Spacing() const {
  return (limits_.rpm->window + limits_.guard) / std::max<std::int64_t>(limits_.rpm->amount, 1);
}

Reservation Quota::Reserve(const Demand& demand, Instant now) {
  Require(Fits(demand, now), "only what fits is reserved");
  Raise(now);
  const Reservation reservation{demand, CountAmounts(limits_, demand), now, ++serial_};
  for (std::size_t i = 0; i < kMinuteKinds; ++i) {
    if (minutes_[i]) minutes_[i]->window.Add(reservation.amounts[i], now);
  }
  for (std::size_t i = 0; i < days_.size(); ++i) {
    if (days_[i]) days_[i]->counter.Add(reservation.amounts[kFirstDay + i], now, now);
  }
  if (limits_.rpm) next_slot_ = now + Spacing();
  ++in_flight_;
  for (std::size_t i = 0; i < kMinuteKinds; ++i) amounts_in_flight_[i] += reservation.amounts[i];
  return reservation;
}

Amounts Quota::AmountsOf(const Reservation& reservation, const std::optional<Demand>& used) const {
  if (!used) return reservation.amounts;
  Demand actual = *used;
  actual.max_output_tokens = reservation.demand.max_output_tokens;
  return CountAmounts(limits_, actual);
}

void Quota::Settle(const Reservation& reservation, const std::optional<Demand>& used,
                   std::optional<Instant> sent_at, Instant now) {
  Require(in_flight_ > 0, "what is settled was in flight");
  --in_flight_;
  const Instant at =
      std::clamp(sent_at.value_or(reservation.at), reservation.at, std::max(reservation.at, now));
  Replace(reservation, AmountsOf(reservation, used), at, now);
}

void Quota::Refund(const Reservation& reservation, Instant now) {
  Require(in_flight_ > 0, "what is refunded was in flight");
  --in_flight_;
  Replace(reservation, Amounts{}, reservation.at, now);
}

void Quota::Replace(const Reservation& reservation, const Amounts& amounts, Instant at,
                    Instant now) {
  for (std::size_t i = 0; i < kMinuteKinds; ++i) amounts_in_flight_[i] -= reservation.amounts[i];
  for (std::size_t i = 0; i < kMinuteKinds; ++i) {
    if (!minutes_[i] || reservation.serial <= minutes_[i]->born) continue;
    minutes_[i]->window.Remove(reservation.amounts[i], reservation.at, now);
    minutes_[i]->window.Add(amounts[i], at);
  }
  for (std::size_t i = 0; i < days_.size(); ++i) {
    if (!days_[i] || reservation.serial <= days_[i]->born) continue;
    days_[i]->counter.Remove(reservation.amounts[kFirstDay + i], reservation.at, now);
    days_[i]->counter.Add(amounts[kFirstDay + i], at, now);
  }
}

void Quota::SanityCheck() const {
  Require(in_flight_ >= 0, "in flight is not negative");
  for (const auto& counted : minutes_) {
    if (counted) counted->window.SanityCheck();
  }
}

}  // namespace requestrouter::policy
