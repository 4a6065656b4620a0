#include "daemon/policy/key_pool.h"

#include <algorithm>

#include "daemon/policy/invariant.h"

// The choice among keys.
namespace requestrouter::policy {
namespace {

const Demand kSmallest{};

}  // namespace

KeyPool::KeyPool(std::uint64_t seed) : random_(seed) {}

std::optional<std::uint32_t> KeyPool::FindModel(std::string_view name) const {
  const auto found = model_index_.find(name);
  if (found == model_index_.end()) return std::nullopt;
  return found->second;
}

KeyState* KeyPool::FindKey(std::string_view key_id) {
  const auto found = keys_.find(key_id);
  return found == keys_.end() ? nullptr : found->second.get();
}

QuotaState* KeyPool::FindQuota(std::string_view group, std::string_view model) {
  const auto found = quotas_.find({std::string(group), std::string(model)});
  return found == quotas_.end() ? nullptr : found->second.get();
}

bool KeyPool::HasTier(std::uint32_t model, Tier tier) const {
  return models_[model].tiers[static_cast<std::size_t>(tier)];
}

Choices KeyPool::ChoicesOf(std::string_view key_id) const {
  Choices choices;
  const auto found = keys_.find(key_id);
  if (found == keys_.end()) return choices;
  const KeyState& key = *found->second;
  for (const KeyModel& served : key.spec.models) {
    const auto model = FindModel(served.name);
    if (model) choices.push_back({*model, Choice::kAnyTier, &key});
  }
  return choices;
}

double KeyPool::ShareOf(std::uint32_t model, const Demand& demand) const {
  const Model& of = models_[model];
  const Amounts amounts = CountAmounts(of.cells.front().quota->quota.limits(), demand);
  double share = 0;
  for (std::size_t i = 0; i < kMinuteKinds; ++i) {
    if (of.capacity[i] <= 0) continue;
    share = std::max(share, static_cast<double>(amounts[i]) / static_cast<double>(of.capacity[i]));
  }
  // Where nothing but attempts in flight is limited, requests are what is shared.
  return share > 0 ? share : 1e-3;
}

std::optional<CellId> KeyPool::Pick(const Choices& choices, const Wish& wish, Instant now) {
  if (!wish.preferred_key.empty()) {
    if (const auto cell = PickPreferred(choices, wish, now)) return cell;
  }
  for (const Choice& choice : choices) {
    if (const auto cell = PickBest(choice, wish, now)) return cell;
  }
  return std::nullopt;
}

std::optional<CellId> KeyPool::PickPreferred(const Choices& choices, const Wish& wish,
                                             Instant now) const {
  const auto key = keys_.find(wish.preferred_key);
  if (key == keys_.end()) return std::nullopt;
  const auto cells = cells_of_.find(key->second.get());
  if (cells == cells_of_.end()) return std::nullopt;
  for (const Choice& choice : choices) {
    for (const CellId cell : cells->second) {
      if (cell.model != choice.model || !Matches(At(cell), choice)) continue;
      if (Takes(cell, wish, now)) return cell;
    }
  }
  return std::nullopt;
}

// A retry may be a provider's trial, whose keys are not open.
std::optional<CellId> KeyPool::PickBest(const Choice& choice, const Wish& wish, Instant now) {
  const Model& model = Refreshed(choice.model, now);
  const auto takes = [&](std::uint32_t index) {
    return Matches(model.cells[index], choice) && Takes({choice.model, index}, wish, now);
  };
  const auto best = wish.retry_due ? model.order.FirstOfAll(takes) : model.order.FirstOpen(takes);
  if (!best) return std::nullopt;
  return CellId{choice.model, *best};
}

bool KeyPool::Takes(CellId cell, const Wish& wish, Instant now) const {
  const Cell& of = At(cell);
  if (WasTried(wish.tried, *of.key, *of.quota)) return false;
  return !Judge(cell, wish.demand, wish.retry_due, now);
}

std::optional<KeyPool::Obstacle> KeyPool::Judge(CellId cell, const Demand& demand, bool retry_due,
                                                Instant now) const {
  const Cell& of = At(cell);
  const KeyState& key = *of.key;
  if (!key.spec.active) return Obstacle{"inactive", kNever};
  if (!key.spec.has_secret) return Obstacle{"no_secret", kNever};
  if (IsDisabled(key, now)) return Obstacle{"disabled", kNever};
  const auto word = [&](const Health& health) {
    return health.state(now) == KeyStateName::kTrial ? "trial" : "cooling";
  };
  if (const Instant at = key.provider->breaker.UsableAt(now, retry_due); at > now) {
    return Obstacle{"provider_down", at};
  }
  if (const Instant at = key.health.UsableAt(now); at > now) return Obstacle{word(key.health), at};
  if (of.excluded_until > now) return Obstacle{"not_served", of.excluded_until};
  const Health& quota = of.quota->health;
  if (const Instant at = quota.UsableAt(now); at > now) return Obstacle{word(quota), at};
  if (const auto limit = of.quota->quota.Check(demand, now)) {
    return Obstacle{Name(limit->limit), limit->until};
  }
  return std::nullopt;
}

bool KeyPool::Among(const Choices& choices, CellId cell) const {
  return std::any_of(choices.begin(), choices.end(), [&](const Choice& choice) {
    return choice.model == cell.model && Matches(At(cell), choice);
  });
}

std::vector<CellId> KeyPool::Cells(const Choices& choices, std::size_t max) const {
  std::vector<CellId> cells;
  AnyCell(choices, [&](CellId cell) {
    if (cells.size() < max) cells.push_back(cell);
    return cells.size() >= max;
  });
  return cells;
}

KeyPool::Model& KeyPool::Refreshed(std::uint32_t index, Instant now) {
  Model& model = models_[index];
  model.order.Refresh(
      now,
      [&](std::uint32_t cell) {
        return StateOf({index, cell}, now);
      },
      [this] { return random_(); });
  return model;
}

CellOrder::State KeyPool::StateOf(CellId cell, Instant now) const {
  const Quota& quota = At(cell).quota->quota;
  const Instant open_at = CellReadyAt(cell, kSmallest, false, now);
  const Instant change = quota.NextChange(now);
  return {open_at, open_at > now ? std::min(change, open_at) : change, quota.Headroom(now)};
}

void KeyPool::Touch(const KeyState* key, const QuotaState* quota, const ProviderState* provider) {
  for (const void* touched : {static_cast<const void*>(key), static_cast<const void*>(quota),
                              static_cast<const void*>(provider)}) {
    if (!touched) continue;
    const auto cells = cells_of_.find(touched);
    if (cells == cells_of_.end()) continue;
    for (const CellId cell : cells->second) {
      models_[cell.model].order.Touch(cell.index);
    }
  }
  ++version_;
}

void KeyPool::SanityCheck(Instant now) const {
  for (const auto& [name, quota] : quotas_) quota->quota.SanityCheck();
  for (std::uint32_t m = 0; m < models_.size(); ++m) {
    for (std::uint32_t i = 0; i < models_[m].cells.size(); ++i) {
      if (models_[m].order.is_due(i, now)) continue;
      Require(models_[m].order.at(i).open_at <=
                  std::max(now, CellReadyAt({m, i}, kSmallest, false, now)),
              "the order never hides a cell that is open");
    }
  }
}

}  // namespace requestrouter::policy
