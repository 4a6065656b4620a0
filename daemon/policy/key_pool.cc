#include "daemon/policy/key_pool.h"

#include <algorithm>

#include "daemon/policy/invariant.h"

namespace requestrouter::policy {
namespace {

std::string NameOf(const ProviderState& provider) { return "provider/" + provider.name; }
std::string NameOf(const QuotaState& quota) { return "quota/" + quota.group + ' ' + quota.model; }

KnownHealth Known(std::string of, KeyStateName state, const Cooldown& cooldown) {
  return {std::move(of), state, state == KeyStateName::kReady ? Cooldown() : cooldown};
}

constexpr std::size_t kMostFormer = 10'000;  // quotas of keys that are gone

const Demand kSmallest{};

std::int8_t TagOf(const std::string& workload) {
  if (workload == "light") return 0;
  if (workload == "medium") return 1;
  if (workload == "heavy") return 2;
  return Choice::kAnyTag;
}

bool Disabled(const KeyState& key, Instant now) {
  return key.disabled_by_operator || key.health.state(now) == KeyStateName::kDisabled;
}

// Providers say what they like.
Duration Bounded(Duration delay) {
  return std::clamp<Duration>(delay, Duration::zero(), KeyPool::kLongestCooldown);
}

bool InService(const KeyState& key) {
  return key.spec.active && key.spec.has_secret && !Disabled(key, Instant::min());
}

}  // namespace

bool WasTried(const Tried& tried, const KeyState& key, const QuotaState& quota) {
  return std::any_of(tried.begin(), tried.end(),
                     [&](const auto& one) { return one.first == &key && one.second == &quota; });
}

KeyPool::KeyPool(std::uint64_t seed) : random_(seed) {}

// ---- configuration

void KeyPool::Configure(const Config& config, Instant now) {
  if (former_quotas_.size() > kMostFormer) {
    former_keys_.clear();
    former_quotas_.clear();
  }
  former_keys_.merge(keys_);
  former_quotas_.merge(quotas_);
  models_.clear();
  model_index_.clear();
  key_order_.clear();
  cells_of_.clear();
  for (const KeySpec& spec : config.keys) {
    if (const auto old = former_keys_.find(spec.key_id); old != former_keys_.end()) {
      keys_.insert(former_keys_.extract(old));
    }
    for (const KeyModel& model : spec.models) {
      const auto old = former_quotas_.find({spec.quota_group, model.name});
      if (old != former_quotas_.end()) quotas_.insert(former_quotas_.extract(old));
    }
    AddKey(spec, config.retry, now);
  }
  cell_count_ = 0;
  for (Model& model : models_) {
    CountCapacity(model);
    cell_count_ += model.cells.size();
  }
  ++version_;
}

void KeyPool::AddKey(const KeySpec& spec, const RetryPolicy& retry, Instant now) {
  auto& provider = providers_[spec.provider];
  if (!provider) {
    provider = std::make_shared<ProviderState>(
        ProviderState{spec.provider, ProviderBreaker(retry.base, kFailureCooldownCap)});
  }
  auto& key = keys_[spec.key_id];
  if (!key) key = std::make_shared<KeyState>();
  key->spec = spec;
  key->provider = provider;
  key->health.Renew();
  if (key->health.state(now) == KeyStateName::kDisabled) {
    key->health.Reset();
    Mark(key->changed);
  }
  key_order_.push_back(spec.key_id);
  for (const KeyModel& served : spec.models) {
    auto& quota = quotas_[{spec.quota_group, served.name}];
    if (quota) {
      quota->quota.SetLimits(served.limits, now);
    } else {
      quota = std::make_shared<QuotaState>(
          QuotaState{spec.quota_group, served.name, Quota(served.limits), {}});
    }
    const auto [entry, fresh] =
        model_index_.try_emplace(served.name, static_cast<std::uint32_t>(models_.size()));
    if (fresh) models_.push_back({served.name, {}, {}, {}, {}});
    Model& model = models_[entry->second];
    const CellId cell{entry->second, static_cast<std::uint32_t>(model.cells.size())};
    const std::int8_t tag = TagOf(spec.workload);
    if (tag != Choice::kAnyTag) model.tags[static_cast<std::size_t>(tag)] = true;
    model.cells.push_back({key, quota, Instant::min(), tag});
    model.order.Add(spec.priority);
    cells_of_[key.get()].push_back(cell);
    cells_of_[quota.get()].push_back(cell);
    cells_of_[provider.get()].push_back(cell);
  }
}

void KeyPool::CountCapacity(Model& model) const {
  std::vector<const QuotaState*> seen;
  for (const Cell& cell : model.cells) seen.push_back(cell.quota.get());
  std::sort(seen.begin(), seen.end());
  seen.erase(std::unique(seen.begin(), seen.end()), seen.end());
  for (std::size_t i = 0; i < kMinuteKinds; ++i) {
    for (const QuotaState* quota : seen) {
      const SlidingWindow* window = quota->quota.Window(static_cast<LimitKind>(i));
      if (!window) {
        model.capacity[i] = 0;
        break;
      }
      model.capacity[i] += window->limit();
    }
  }
}

// ---- models

std::optional<std::uint32_t> KeyPool::FindModel(std::string_view name) const {
  const auto found = model_index_.find(name);
  if (found == model_index_.end()) return std::nullopt;
  return found->second;
}

bool KeyPool::HasTag(std::uint32_t model, std::int8_t tag) const {
  return models_[model].tags[static_cast<std::size_t>(tag)];
}

Choices KeyPool::ChoicesOf(std::string_view key_id) const {
  Choices choices;
  const auto found = keys_.find(key_id);
  if (found == keys_.end()) return choices;
  const KeyState& key = *found->second;
  for (const KeyModel& served : key.spec.models) {
    const auto model = FindModel(served.name);
    if (model) choices.push_back({*model, Choice::kAnyTag, &key});
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

// ---- choosing

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
  if (Disabled(key, now)) return Obstacle{"disabled", kNever};
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

Instant KeyPool::HealthyAt(CellId cell, Instant now) const {
  const Cell& of = At(cell);
  if (!InService(*of.key)) return kNever;
  return std::max({now, of.key->provider->breaker.UsableAt(now, false),
                   of.key->health.UsableAt(now), of.quota->health.UsableAt(now),
                   of.excluded_until});
}

Instant KeyPool::CellReadyAt(CellId cell, const Demand& demand, bool retry_due, Instant now) const {
  const Cell& of = At(cell);
  if (!InService(*of.key)) return kNever;
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
    return InService(*At(cell).key) && At(cell).excluded_until <= now;
  });
}

bool KeyPool::AllDisabled(const Choices& choices) const {
  return !AnyCell(choices, [&](CellId cell) { return InService(*At(cell).key); });
}

std::optional<std::pair<LimitKind, std::int64_t>> KeyPool::NeverFits(const Choices& choices,
                                                                     const Demand& demand) const {
  std::optional<std::pair<LimitKind, std::int64_t>> largest;
  const bool fits = AnyCell(choices, [&](CellId cell) {
    const Quota& quota = At(cell).quota->quota;
    if (!InService(*At(cell).key)) return false;
    const auto kind = quota.NeverFits(demand);
    if (!kind) return true;
    const std::int64_t amount = quota.AmountOf(*kind);
    if (!largest || amount > largest->second) largest = {*kind, amount};
    return false;
  });
  return fits ? std::nullopt : largest;
}

bool KeyPool::Among(const Choices& choices, CellId cell) const {
  return std::any_of(choices.begin(), choices.end(), [&](const Choice& choice) {
    return choice.model == cell.model && Matches(At(cell), choice);
  });
}

bool KeyPool::LeavesRoomFor(CellId cell, const Demand& first, const Demand& other, Instant until,
                            Instant now) const {
  const Quota& quota = At(cell).quota->quota;
  return quota.ReadyAt(first, now) > until || quota.ReadyAtBoth(first, other, now) <= until;
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

// ---- attempts

Admission KeyPool::Admit(CellId cell, const Demand& demand, bool retry_due, Instant now) {
  const Cell& of = At(cell);
  Admission admission{of.key, of.quota, of.quota->quota.Reserve(demand, now), {}, {}, {}};
  admission.provider_pass = of.key->provider->breaker.Admit(now, retry_due);
  admission.key_pass = of.key->health.Admit(now);
  admission.quota_pass = of.quota->health.Admit(now);
  ++of.key->in_flight;
  if (admission.key_pass.trial) Mark(of.key->changed);
  if (admission.quota_pass.trial) MarkChanged(*of.quota);
  Touch(admission.key_pass.trial ? of.key.get() : nullptr, of.quota.get(),
        admission.provider_pass.trial ? of.key->provider.get() : nullptr);
  return admission;
}

void KeyPool::End(const Admission& admission, const Report& report, Instant now) {
  KeyState& key = *admission.key;
  Quota& quota = admission.quota->quota;
  --key.in_flight;
  if (report.sent) {
    quota.Settle(admission.reservation, report.used, report.sent_at, now);
  } else {
    quota.Refund(admission.reservation, now);
  }
  quota.Correct(report.remaining, now);
  for (const LimitKind kind : report.spent) quota.Learn(kind, admission.reservation, now);
  const Instant provider_at = key.provider->breaker.UsableAt(now, false);
  EndHealth(admission, report, now);
  const bool provider_changed = provider_at != key.provider->breaker.UsableAt(now, false);
  if (provider_changed) Mark(key.provider->changed);
  Touch(&key, admission.quota.get(), provider_changed ? key.provider.get() : nullptr);
}

void KeyPool::EndHealth(const Admission& admission, const Report& report, Instant now) {
  using Kind = Health::Event::Kind;
  QuotaState& quota = *admission.quota;
  const Fault& fault = report.fault;
  if (report.conclusive && !fault.message.empty()) admission.key->last_error = fault.message;
  Health::Event event{.kind = Kind::kNoVerdict, .reason = fault.reason, .source = fault.source};
  if (!report.conclusive) {
    event.kind = Kind::kNoVerdict;
  } else if (fault.kind == FaultKind::kNone) {
    event.kind = Kind::kSucceeded;
  } else if (fault.kind == FaultKind::kMinuteQuota) {
    event.kind = Kind::kCool;
    event.base = Bounded(fault.retry_after.value_or(kMinuteCooldown));
    event.cap = kMinuteCooldownCap;
  } else if (fault.kind == FaultKind::kDayQuota) {
    event.until = quota.quota.DayEnd(now);
    event.kind = event.until == kNever ? Kind::kCool : Kind::kCoolUntil;
    event.base = Bounded(fault.retry_after.value_or(kDayCooldown));
    event.cap = kDayCooldownCap;
  } else if (fault.kind == FaultKind::kModel) {
    Exclude(admission, now + kNotServed);
  }
  if (quota.health.Ended(admission.quota_pass, event, now)) MarkChanged(quota);
  EndKeyHealth(admission, report, now);
}

void KeyPool::EndKeyHealth(const Admission& admission, const Report& report, Instant now) {
  using Kind = Health::Event::Kind;
  KeyState& key = *admission.key;
  ProviderBreaker& breaker = key.provider->breaker;
  const Fault& fault = report.fault;
  if (!report.conclusive) {
    breaker.NoVerdict(admission.provider_pass, now);
    if (key.health.Ended(admission.key_pass, {}, now)) Mark(key.changed);
    return;
  }
  Health::Event event{.kind = Kind::kNoVerdict, .reason = fault.reason, .source = fault.source};
  switch (fault.kind) {
    case FaultKind::kNone:
    case FaultKind::kMinuteQuota:
    case FaultKind::kDayQuota:
      // An answer: the key, the network and the provider work.
      breaker.Succeeded(admission.provider_pass, now);
      event.kind = Kind::kSucceeded;
      break;
    case FaultKind::kProvider:
    case FaultKind::kNetwork:
      if (breaker.Failed(admission.provider_pass, fault, key.spec.key_id, now)) {
        key.health.ForgiveFailures();
        break;
      }
      event.kind = Kind::kFailed;
      event.base = kFailureCooldown;
      event.cap = kFailureCooldownCap;
      break;
    case FaultKind::kKeyInvalid:
    case FaultKind::kBilling:
      breaker.NoVerdict(admission.provider_pass, now);
      event.kind = Kind::kDisable;
      break;
    case FaultKind::kRequest:
    case FaultKind::kContent:
    case FaultKind::kModel:
      breaker.NoVerdict(admission.provider_pass, now);
      break;
  }
  if (key.health.Ended(admission.key_pass, event, now)) Mark(key.changed);
}

void KeyPool::Exclude(const Admission& admission, Instant until) {
  const auto cells = cells_of_.find(admission.key.get());
  if (cells == cells_of_.end()) return;
  for (const CellId cell : cells->second) {
    Cell& of = models_[cell.model].cells[cell.index];
    if (of.quota == admission.quota) of.excluded_until = until;
  }
}

// What operators are shown of a key changes with its quotas.
void KeyPool::MarkChanged(QuotaState& quota) {
  Mark(quota.changed);
  const auto cells = cells_of_.find(&quota);
  if (cells == cells_of_.end()) return;
  for (const CellId cell : cells->second) Mark(At(cell).key->changed);
}

// ---- operators

KeyState* KeyPool::FindKey(std::string_view key_id) {
  const auto found = keys_.find(key_id);
  return found == keys_.end() ? nullptr : found->second.get();
}

KeyStatus KeyPool::StatusOf(const KeyState& key, Instant now) const {
  KeyStatus status;
  status.key_id = key.spec.key_id;
  status.in_flight = key.in_flight;
  status.last_error = key.last_error;
  status.disabled_by_operator = key.disabled_by_operator;
  status.state = key.health.state(now);
  if (status.state != KeyStateName::kReady) status.cooldown = key.health.cooldown();
  std::size_t cells = 0;
  if (const auto of = cells_of_.find(&key); of != cells_of_.end()) {
    for (const CellId cell : of->second) {
      const QuotaState& quota = *At(cell).quota;
      ++cells;
      status.usage.push_back(quota.quota.Usage(now));
      status.usage.back().model = quota.model;
      const KeyStateName state = quota.health.state(now);
      if (state == KeyStateName::kReady) continue;
      status.model_cooldowns.push_back({quota.model, state, quota.health.cooldown()});
    }
  }
  if (status.state == KeyStateName::kReady && cells > 0 && status.model_cooldowns.size() == cells) {
    const auto first = std::min_element(
        status.model_cooldowns.begin(), status.model_cooldowns.end(),
        [](const auto& a, const auto& b) { return a.cooldown.until < b.cooldown.until; });
    status.state = first->state;
    status.cooldown = first->cooldown;
  }
  if (key.disabled_by_operator) {
    status.state = KeyStateName::kDisabled;
    status.cooldown = Cooldown{kNever, "disabled by operator", "operator", 0};
  }
  if (!key.spec.has_secret) status.state = KeyStateName::kNoSecret;
  return status;
}

std::vector<KeyStatus> KeyPool::Keys(Instant now) const {
  std::vector<KeyStatus> all;
  for (const std::string& key_id : key_order_) {
    all.push_back(StatusOf(*keys_.find(key_id)->second, now));
  }
  return all;
}

std::optional<KeyStatus> KeyPool::Key(std::string_view key_id, Instant now) const {
  const auto found = keys_.find(key_id);
  if (found == keys_.end()) return std::nullopt;
  return StatusOf(*found->second, now);
}

bool KeyPool::Reset(std::string_view key_id, bool counters) {
  KeyState* key = FindKey(key_id);
  if (!key) return false;
  key->health.Reset();
  Mark(key->changed);
  key->provider->breaker.Reset();
  Mark(key->provider->changed);
  for (const CellId cell : cells_of_[key]) {
    Cell& of = models_[cell.model].cells[cell.index];
    of.excluded_until = Instant::min();
    of.quota->health.Reset();
    if (counters) of.quota->quota.Clear();
    MarkChanged(*of.quota);
    Touch(nullptr, of.quota.get(), nullptr);
  }
  Touch(key, nullptr, key->provider.get());
  return true;
}

bool KeyPool::SetEnabled(std::string_view key_id, bool enabled, Instant now) {
  KeyState* key = FindKey(key_id);
  if (!key) return false;
  key->disabled_by_operator = !enabled;
  if (enabled && key->health.state(now) == KeyStateName::kDisabled) key->health.Reset();
  Mark(key->changed);
  Touch(key, nullptr, nullptr);
  return true;
}

void KeyPool::SetHasSecret(std::string_view key_id, bool has_secret) {
  KeyState* key = FindKey(key_id);
  if (!key) return;
  key->spec.has_secret = has_secret;
  Touch(key, nullptr, nullptr);
}

std::vector<KnownHealth> KeyPool::ChangedHealth(Instant now) const {
  std::vector<KnownHealth> changed;
  if (!any_changed_) return changed;
  for (const std::string& key_id : key_order_) {
    const KeyState& key = *keys_.find(key_id)->second;
    if (!key.changed) continue;
    changed.push_back(Known(key_id, key.health.state(now), key.health.cooldown()));
    changed.back().disabled_by_operator = key.disabled_by_operator;
  }
  for (const auto& [name, quota] : quotas_) {
    if (!quota->changed) continue;
    changed.push_back(Known(NameOf(*quota), quota->health.state(now), quota->health.cooldown()));
  }
  for (const auto& [name, provider] : providers_) {
    if (!provider->changed) continue;
    const ProviderBreaker& breaker = provider->breaker;
    changed.push_back(Known(NameOf(*provider), breaker.state(now), breaker.cooldown()));
  }
  return changed;
}

std::vector<KeyStatus> KeyPool::TakeChanged(Instant now) {
  std::vector<KeyStatus> changed;
  if (!std::exchange(any_changed_, false)) return changed;
  for (const auto& [name, quota] : quotas_) quota->changed = false;
  for (const std::string& key_id : key_order_) {
    KeyState& key = *keys_[key_id];
    if (std::exchange(key.changed, false)) changed.push_back(StatusOf(key, now));
  }
  for (const auto& [name, provider] : providers_) {
    if (!std::exchange(provider->changed, false)) continue;
    KeyStatus status;
    status.key_id = NameOf(*provider);
    status.state = provider->breaker.state(now);
    if (provider->breaker.open(now)) status.cooldown = provider->breaker.cooldown();
    changed.push_back(std::move(status));
  }
  return changed;
}

std::vector<CellId> KeyPool::Cells(const Choices& choices, std::size_t max) const {
  std::vector<CellId> cells;
  AnyCell(choices, [&](CellId cell) {
    if (cells.size() < max) cells.push_back(cell);
    return cells.size() >= max;
  });
  return cells;
}

// ---- restart

void KeyPool::RestoreAttempts(std::string_view group, std::string_view model,
                              const Amounts& counted, Instant at) {
  const auto found = quotas_.find({std::string(group), std::string(model)});
  if (found == quotas_.end()) return;
  found->second->quota.RestoreAttempts(counted, at);
  Touch(nullptr, found->second.get(), nullptr);
}

void KeyPool::RestoreFullWindows(Instant at, Instant now) {
  for (const auto& [name, quota] : quotas_) {
    quota->quota.RestoreFullWindows(at, now);
    Touch(nullptr, quota.get(), nullptr);
  }
}

void KeyPool::RestoreDay(std::string_view group, std::string_view model, const Amounts& counted,
                         Instant at, Instant now) {
  const auto found = quotas_.find({std::string(group), std::string(model)});
  if (found == quotas_.end()) return;
  found->second->quota.RestoreDay(counted, at, now);
  Touch(nullptr, found->second.get(), nullptr);
}

void KeyPool::RestoreHealth(const KnownHealth& known, Instant now) {
  if (KeyState* key = FindKey(known.of)) {
    key->disabled_by_operator = known.disabled_by_operator;
    key->health.Restore(known.state, known.cooldown, now);
    Touch(key, nullptr, nullptr);
  }
  for (const auto& [name, quota] : quotas_) {
    if (NameOf(*quota) != known.of) continue;
    quota->health.Restore(known.state, known.cooldown, now);
    Touch(nullptr, quota.get(), nullptr);
  }
  for (const auto& [name, provider] : providers_) {
    if (NameOf(*provider) != known.of) continue;
    provider->breaker.Restore(known.state, known.cooldown, now);
    Touch(nullptr, nullptr, provider.get());
  }
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
