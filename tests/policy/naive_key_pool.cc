#include "tests/policy/naive_key_pool.h"

#include <algorithm>
#include <set>

namespace requestrouter::policy {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::size_t kRpd = static_cast<std::size_t>(LimitKind::kRpd);

bool Serves(const KeySpec& spec, const std::string& model) {
  return std::any_of(spec.models.begin(), spec.models.end(),
                     [&](const KeyModel& one) { return one.name == model; });
}

}  // namespace

// ---- health

Instant NaiveKeyPool::Health::UsableAt(Instant now) const {
  if (state == State::kReady) return now;
  return state == State::kCooling ? std::max(now, until) : kNever;
}

KeyStateName NaiveKeyPool::Health::Name(Instant now) const {
  if (state == State::kReady) return KeyStateName::kReady;
  if (state == State::kDisabled) return KeyStateName::kDisabled;
  const bool cooling = state == State::kCooling && until > now;
  return cooling ? KeyStateName::kCooling : KeyStateName::kTrial;
}

NaiveKeyPool::Pass NaiveKeyPool::Health::Admit() {
  const bool trial = state != State::kReady;
  if (trial) state = State::kTrial;
  return {era, renewals, trial};
}

bool NaiveKeyPool::Health::Decides(const Pass& pass) const {
  return pass.trial && pass.era == era && state == State::kTrial;
}

void NaiveKeyPool::Health::Succeed(const Pass& pass) {
  failures = 0;
  if (!Decides(pass)) return;
  state = State::kReady;
  until = {};
  strikes = 0;
  ++era;
}

void NaiveKeyPool::Health::SayNothing(const Pass& pass) {
  if (Decides(pass)) state = State::kCooling;
}

void NaiveKeyPool::Health::Fail(const Pass& pass, Instant now) {
  ++failures;
  const bool third = failures >= 3 && pass.era == era;
  if (Decides(pass) || third) Cool(pass, seconds(1), seconds(30), now);
}

Duration NaiveKeyPool::Health::Longer(const Pass& pass, Duration base, Duration cap) const {
  const Duration most = std::max(base, cap);
  if (!pass.trial || pass.era != era) return std::min(base, most);
  for (int i = 0; i < strikes && base < most; ++i) base *= 2;
  return std::min(base, most);
}

void NaiveKeyPool::Health::Cool(const Pass& pass, Duration base, Duration cap, Instant now) {
  CoolUntil(pass, now + Longer(pass, base, cap), now);
}

void NaiveKeyPool::Health::CoolUntil(const Pass& pass, Instant at, Instant now) {
  const bool late = pass.era != era;
  if (state == State::kDisabled || (late && state == State::kTrial)) return;
  if (state == State::kCooling && until > now && at <= until) return;
  state = State::kCooling;
  until = at;
  strikes = std::max(strikes + (late ? 0 : 1), 1);
  failures = 0;
  ++era;
}

void NaiveKeyPool::Health::Disable(const Pass& pass) {
  if (pass.renewal != renewals) return SayNothing(pass);
  state = State::kDisabled;
  until = kNever;
  ++era;
}

void NaiveKeyPool::Health::Reset() {
  ++renewals;
  state = State::kReady;
  until = {};
  strikes = failures = 0;
  ++era;
}

// ---- providers

Instant NaiveKeyPool::Provider::UsableAt(Instant now, bool retry_due) const {
  if (retry_due && health.Name(now) == KeyStateName::kCooling) return now;
  return health.UsableAt(now);
}

bool NaiveKeyPool::Provider::Blame(const Pass& pass, int fault, const std::string& key_id,
                                   Instant now) {
  const bool same = !witness.empty() && status == fault && now - seen <= seconds(60);
  const bool second = same && witness != key_id;
  if (!same) witness = key_id;
  status = fault;
  seen = now;
  const bool well = health.state == Health::State::kReady;
  if (well && !second && !pass.trial) return false;
  health.Cool(pass, base, seconds(30), now);
  return true;
}

// ---- configuration

void NaiveKeyPool::Configure(const Config& config, Instant now) {
  order_.clear();
  for (auto& [key_id, key] : keys_) key.configured = false;
  for (const KeySpec& spec : config.keys) {
    order_.push_back(spec.key_id);
    providers_.try_emplace(spec.provider).first->second.base = config.retry.base;
    Key& key = keys_[spec.key_id];
    key.spec = spec;
    key.configured = true;
    key.excluded.clear();
    ++key.health.renewals;
    if (key.health.Name(now) == KeyStateName::kDisabled) key.health.Reset();
    for (const KeyModel& model : spec.models) {
      Quota& quota = quotas_[{spec.quota_group, model.name}];
      quota.limits = model.limits;
      for (std::size_t kind = 0; kind < kCountedKinds; ++kind) {
        if (!AmountOf(model.limits, kind)) quota.from[kind].reset();
        if (AmountOf(model.limits, kind) && !quota.from[kind]) quota.from[kind] = attempts_.size();
      }
    }
  }
}

std::vector<NaiveKeyPool::Cell> NaiveKeyPool::Cells(const std::string& model) const {
  std::vector<Cell> cells;
  for (const std::string& key_id : order_) {
    if (Serves(keys_.at(key_id).spec, model)) cells.push_back({key_id, model});
  }
  return cells;
}

// ---- limits

std::optional<std::int64_t> NaiveKeyPool::AmountOf(const LimitSet& limits, std::size_t kind) {
  if (kind == kRpd) return limits.rpd;
  if (kind > kRpd) return limits.tpd;
  const auto limit = MinuteLimit(limits, static_cast<LimitKind>(kind));
  return limit ? std::optional(limit->amount) : std::nullopt;
}

bool NaiveKeyPool::Counts(const Attempt& attempt, const LimitSet& limits, std::size_t kind,
                          Instant now) const {
  if (kind >= kRpd && limits.day_reset) return attempt.counted_at >= DayStart(now);
  const Duration window =
      kind >= kRpd ? hours(24) : MinuteLimit(limits, static_cast<LimitKind>(kind))->window;
  return attempt.counted_at + window + limits.guard > now;
}

std::int64_t NaiveKeyPool::Used(const QuotaId& id, std::size_t kind, Instant now) const {
  const Quota& quota = quotas_.at(id);
  std::int64_t used = 0;
  for (std::size_t i = *quota.from[kind]; i < attempts_.size(); ++i) {
    const Attempt& attempt = attempts_[i];
    if (attempt.quota != id || !Counts(attempt, quota.limits, kind, now)) continue;
    used += attempt.counted[kind];
  }
  return used;
}

std::int64_t NaiveKeyPool::Used(const Cell& cell, LimitKind kind, Instant now) const {
  return Used(QuotaOf(cell), static_cast<std::size_t>(kind), now);
}

// Tries every instant at which something leaves.
Instant NaiveKeyPool::FitsAt(const QuotaId& id, std::size_t kind, std::int64_t amount,
                             Instant now) const {
  const Quota& quota = quotas_.at(id);
  const std::int64_t limit = *AmountOf(quota.limits, kind);
  if (Used(id, kind, now) + amount <= limit) return now;
  std::set<Instant> instants = {DayStart(now) + kDay};
  for (const Attempt& attempt : attempts_) {
    if (attempt.quota != id) continue;
    const Duration window =
        kind >= kRpd ? hours(24) : MinuteLimit(quota.limits, static_cast<LimitKind>(kind))->window;
    instants.insert(attempt.counted_at + window + quota.limits.guard);
  }
  for (const Instant at : instants) {
    if (at > now && Used(id, kind, at) + amount <= limit) return at;
  }
  return kNever;
}

std::int64_t NaiveKeyPool::InFlight(const QuotaId& id) const {
  return std::count_if(attempts_.begin(), attempts_.end(), [&](const Attempt& attempt) {
    return attempt.in_flight && attempt.quota == id;
  });
}

std::int64_t NaiveKeyPool::InFlight(const std::string& key_id) const {
  return std::count_if(attempts_.begin(), attempts_.end(), [&](const Attempt& attempt) {
    return attempt.in_flight && attempt.key_id == key_id;
  });
}

// The one that stands in the way longest; `now` where none does.
NaiveKeyPool::Obstacle NaiveKeyPool::LimitOf(const QuotaId& id, const Demand& demand,
                                             Instant now) const {
  const Quota& quota = quotas_.at(id);
  Obstacle worst{"", now};
  const auto wait = [&](LimitKind kind, Instant until) {
    if (until > worst.until) worst = {Name(kind), until};
  };
  const Amounts amounts = CountAmounts(quota.limits, demand);
  for (std::size_t kind = 0; kind < kCountedKinds; ++kind) {
    if (!AmountOf(quota.limits, kind)) continue;
    wait(static_cast<LimitKind>(kind), FitsAt(id, kind, amounts[kind], now));
  }
  if (quota.limits.burst == Burst::kSmooth && quota.limits.rpm) {
    Instant slot = Instant::min();
    for (std::size_t i = quota.slots_from; i < attempts_.size(); ++i) {
      if (attempts_[i].quota == id) slot = std::max(slot, attempts_[i].next_slot);
    }
    wait(LimitKind::kRpm, slot);
  }
  const auto most = quota.limits.max_in_flight;
  if (most && InFlight(id) >= *most) wait(LimitKind::kInFlight, kNever);
  return worst;
}

double NaiveKeyPool::Headroom(const Cell& cell, Instant now) const {
  const QuotaId id = QuotaOf(cell);
  const LimitSet& limits = quotas_.at(id).limits;
  double least = 1;
  const auto left = [&](std::int64_t used, std::int64_t limit) {
    const double part = static_cast<double>(limit - used) / static_cast<double>(limit);
    least = std::min(least, std::max(part, 0.0));
  };
  for (std::size_t kind = 0; kind < kCountedKinds; ++kind) {
    if (const auto limit = AmountOf(limits, kind)) left(Used(id, kind, now), *limit);
  }
  if (limits.max_in_flight) left(InFlight(id), *limits.max_in_flight);
  return least;
}

// ---- choosing

bool NaiveKeyPool::InService(const Key& key) {
  return key.spec.active && key.spec.has_secret && !key.disabled_by_operator &&
         key.health.state != Health::State::kDisabled;
}

bool NaiveKeyPool::Excluded(const Cell& cell, Instant now) const {
  const auto found = KeyOf(cell).excluded.find(cell.model);
  return found != KeyOf(cell).excluded.end() && found->second > now;
}

std::optional<NaiveKeyPool::Obstacle> NaiveKeyPool::Judge(const Cell& cell, const Demand& demand,
                                                          bool retry_due, Instant now) const {
  const Key& key = KeyOf(cell);
  if (!key.spec.active) return Obstacle{"inactive", kNever};
  if (!key.spec.has_secret) return Obstacle{"no_secret", kNever};
  if (!InService(key)) return Obstacle{"disabled", kNever};
  const Instant provider = providers_.at(key.spec.provider).UsableAt(now, retry_due);
  if (provider > now) return Obstacle{"provider_down", provider};
  const auto unwell = [&](const Health& health) -> std::optional<Obstacle> {
    const Instant at = health.UsableAt(now);
    if (at <= now) return std::nullopt;
    return Obstacle{health.Name(now) == KeyStateName::kTrial ? "trial" : "cooling", at};
  };
  if (const auto obstacle = unwell(key.health)) return obstacle;
  if (Excluded(cell, now)) return Obstacle{"not_served", key.excluded.at(cell.model)};
  if (const auto obstacle = unwell(quotas_.at(QuotaOf(cell)).health)) return obstacle;
  const Obstacle limit = LimitOf(QuotaOf(cell), demand, now);
  return limit.until > now ? std::optional(limit) : std::nullopt;
}

Instant NaiveKeyPool::ReadyAt(const Cell& cell, const Demand& demand, bool retry_due,
                              Instant now) const {
  const Key& key = KeyOf(cell);
  if (!InService(key)) return kNever;
  const Instant excluded = Excluded(cell, now) ? key.excluded.at(cell.model) : now;
  return std::max({excluded, providers_.at(key.spec.provider).UsableAt(now, retry_due),
                   key.health.UsableAt(now), quotas_.at(QuotaOf(cell)).health.UsableAt(now),
                   LimitOf(QuotaOf(cell), demand, now).until});
}

// ---- attempts

std::size_t NaiveKeyPool::Admit(const Cell& cell, const Demand& demand, Instant now) {
  const QuotaId id = QuotaOf(cell);
  Key& key = keys_.at(cell.key_id);
  Quota& quota = quotas_.at(id);
  Attempt attempt;
  attempt.key_id = cell.key_id;
  attempt.quota = id;
  attempt.demand = demand;
  attempt.reserved_at = attempt.counted_at = now;
  attempt.counted = CountAmounts(quota.limits, demand);
  if (const auto& rpm = quota.limits.rpm) {
    attempt.next_slot = now + (rpm->window + quota.limits.guard) / rpm->amount;
  }
  attempt.of_provider = providers_.at(key.spec.provider).health.Admit();
  attempt.of_key = key.health.Admit();
  attempt.of_quota = quota.health.Admit();
  attempts_.push_back(attempt);
  return attempts_.size() - 1;
}

void NaiveKeyPool::End(std::size_t number, const Report& report, Instant now) {
  Attempt& attempt = attempts_[number];
  attempt.in_flight = false;
  if (!report.sent) {
    attempt.counted = {};
  } else {
    attempt.counted_at = report.sent_at.value_or(attempt.reserved_at);
    if (report.used) {
      Demand used = *report.used;
      used.max_output_tokens = attempt.demand.max_output_tokens;
      attempt.counted = CountAmounts(quotas_.at(attempt.quota).limits, used);
    }
  }
  EndQuota(attempt, report, now);
  EndKey(attempt, report, now);
}

void NaiveKeyPool::EndQuota(const Attempt& attempt, const Report& report, Instant now) {
  Quota& quota = quotas_.at(attempt.quota);
  const Pass& pass = attempt.of_quota;
  const FaultKind kind = report.fault.kind;
  const auto told = [&](Duration otherwise) {
    return std::clamp<Duration>(report.fault.retry_after.value_or(otherwise), Duration::zero(),
                                hours(48));
  };
  if (!report.conclusive) return quota.health.SayNothing(pass);
  if (kind == FaultKind::kNone) return quota.health.Succeed(pass);
  if (kind == FaultKind::kMinuteQuota) {
    return quota.health.Cool(pass, told(seconds(60)), minutes(15), now);
  }
  if (kind == FaultKind::kDayQuota && quota.limits.day_reset) {
    return quota.health.CoolUntil(pass, DayStart(now) + kDay + quota.limits.guard, now);
  }
  if (kind == FaultKind::kDayQuota) {
    return quota.health.Cool(pass, told(hours(1)), hours(24), now);
  }
  Key& key = keys_.at(attempt.key_id);
  const bool serves = key.configured && key.spec.quota_group == attempt.quota.first;
  if (kind == FaultKind::kModel && serves) key.excluded[attempt.quota.second] = now + minutes(10);
  quota.health.SayNothing(pass);
}

void NaiveKeyPool::EndKey(const Attempt& attempt, const Report& report, Instant now) {
  Key& key = keys_.at(attempt.key_id);
  Provider& provider = providers_.at(key.spec.provider);
  const auto say_nothing = [&] { provider.health.SayNothing(attempt.of_provider); };
  if (!report.conclusive) {
    say_nothing();
    return key.health.SayNothing(attempt.of_key);
  }
  switch (report.fault.kind) {
    case FaultKind::kNone:
    case FaultKind::kMinuteQuota:
    case FaultKind::kDayQuota:
      provider.witness.clear();
      provider.health.Succeed(attempt.of_provider);
      return key.health.Succeed(attempt.of_key);
    case FaultKind::kProvider:
    case FaultKind::kNetwork:
      if (provider.Blame(attempt.of_provider, report.fault.status, attempt.key_id, now)) {
        key.health.failures = 0;
        return key.health.SayNothing(attempt.of_key);
      }
      return key.health.Fail(attempt.of_key, now);
    case FaultKind::kKeyInvalid:
    case FaultKind::kBilling:
      say_nothing();
      return key.health.Disable(attempt.of_key);
    default:
      say_nothing();
      return key.health.SayNothing(attempt.of_key);
  }
}

// ---- operators

NaiveKeyPool::Key* NaiveKeyPool::Configured(const std::string& key_id) {
  const auto found = keys_.find(key_id);
  return found != keys_.end() && found->second.configured ? &found->second : nullptr;
}

bool NaiveKeyPool::Reset(const std::string& key_id, bool counters) {
  Key* key = Configured(key_id);
  if (!key) return false;
  key->health.Reset();
  key->excluded.clear();
  Provider& provider = providers_.at(key->spec.provider);
  provider.health.Reset();
  provider.witness.clear();
  for (const KeyModel& model : key->spec.models) {
    Quota& quota = quotas_.at({key->spec.quota_group, model.name});
    quota.health.Reset();
    if (!counters) continue;
    quota.slots_from = attempts_.size();
    for (auto& from : quota.from) {
      if (from) from = attempts_.size();
    }
  }
  return true;
}

bool NaiveKeyPool::SetEnabled(const std::string& key_id, bool enabled, Instant now) {
  Key* key = Configured(key_id);
  if (!key) return false;
  key->disabled_by_operator = !enabled;
  if (enabled && key->health.Name(now) == KeyStateName::kDisabled) key->health.Reset();
  return true;
}

void NaiveKeyPool::SetHasSecret(const std::string& key_id, bool has_secret) {
  if (Key* key = Configured(key_id)) key->spec.has_secret = has_secret;
}

}  // namespace requestrouter::policy
