#include "daemon/policy/key_pool.h"

#include <algorithm>

// When a key could serve, and whether one ever can.
namespace requestrouter::policy {

Instant KeyPool::HealthyAt(CellId cell, Instant now) const {
  const Cell& of = At(cell);
  if (!IsInService(*of.key)) return kNever;
  return std::max({now, of.key->provider->breaker.UsableAt(now, false),
                   of.key->health.UsableAt(now), of.quota->health.UsableAt(now),
                   of.excluded_until});
}

Instant KeyPool::CellReadyAt(CellId cell, const Demand& demand, bool retry_due, Instant now) const {
  const Cell& of = At(cell);
  if (!IsInService(*of.key)) return kNever;
  return std::max({of.key->provider->breaker.UsableAt(now, retry_due), of.key->health.UsableAt(now),
                   of.quota->health.UsableAt(now), of.excluded_until,
                   of.quota->quota.ReadyAt(demand, now)});
}

Instant KeyPool::ReadyAt(const Choices& choices, const Demand& demand, bool retry_due,
                         Instant now) {
  Instant ready = kNever;
  for (const Choice& choice : choices) {
    const Model& model = Refreshed(choice.model, now);
    for (std::uint32_t i = 0; i < model.cells.size(); ++i) {
      if (!Matches(model.cells[i], choice)) continue;
      if (model.order.at(i).open_at >= ready && !retry_due) continue;
      ready = std::min(ready, CellReadyAt({choice.model, i}, demand, retry_due, now));
    }
  }
  return ready;
}

bool KeyPool::AnyOpen(const Choices& choices, Instant now) {
  for (const Choice& choice : choices) {
    const Model& model = Refreshed(choice.model, now);
    const auto matches = [&](std::uint32_t index) { return Matches(model.cells[index], choice); };
    if (model.order.FirstOpen(matches)) return true;
  }
  return false;
}

bool KeyPool::Hopeless(const Choices& choices, Instant now) const {
  return !AnyCell(choices, [&](CellId cell) {
    return IsInService(*At(cell).key) && At(cell).excluded_until <= now;
  });
}

bool KeyPool::AllDisabled(const Choices& choices) const {
  return !AnyCell(choices, [&](CellId cell) { return IsInService(*At(cell).key); });
}

std::optional<std::pair<LimitKind, std::int64_t>> KeyPool::NeverFits(const Choices& choices,
                                                                     const Demand& demand) const {
  std::optional<std::pair<LimitKind, std::int64_t>> largest;
  const bool fits = AnyCell(choices, [&](CellId cell) {
    const Quota& quota = At(cell).quota->quota;
    if (!IsInService(*At(cell).key)) return false;
    const auto kind = quota.NeverFits(demand);
    if (!kind) return true;
    const std::int64_t amount = quota.AmountOf(*kind);
    if (!largest || amount > largest->second) largest = {*kind, amount};
    return false;
  });
  return fits ? std::nullopt : largest;
}

bool KeyPool::LeavesRoomFor(CellId cell, const Demand& first, const Demand& other, Instant until,
                            Instant now) const {
  const Quota& quota = At(cell).quota->quota;
  return quota.ReadyAt(first, now) > until || quota.ReadyAtBoth(first, other, now) <= until;
}

}  // namespace requestrouter::policy
