#include "daemon/policy/plan.h"

#include <algorithm>
#include <cstdlib>

namespace requestrouter::policy {
namespace {

bool Capable(const Ask& ask, const std::string& model) {
  const auto& capable = ask.capable_models;
  return capable.empty() || std::find(capable.begin(), capable.end(), model) != capable.end();
}

bool Has(const Choices& choices, std::uint32_t model) {
  return std::any_of(choices.begin(), choices.end(), [&](const Choice& choice) {
    return choice.model == model && choice.tier == Choice::kAnyTier;
  });
}

int Distance(Tier a, Tier b) { return std::abs(static_cast<int>(a) - static_cast<int>(b)); }

void Drop(Choices& choices, std::uint32_t model) {
  std::erase_if(choices, [&](const Choice& choice) { return choice.model == model; });
}

}  // namespace

Choices AllOf(const Plan& plan) {
  Choices all = plan.wanted;
  all.insert(all.end(), plan.fallback.begin(), plan.fallback.end());
  return all;
}

Plan Planner::Make(const Ask& ask) const {
  if (!ask.key_id.empty()) return {OfKey(ask), {}};
  const bool fallback = ask.allow_fallback.value_or(config_->enable_fallback);
  const Tier tier = TierOf(ask);
  if (ask.model.empty()) {
    Plan plan = ByTier(tier, ask);
    if (!fallback) plan.fallback.clear();
    return plan;
  }
  const auto named = pool_->FindModel(ask.model);
  const bool served = named && Capable(ask, ask.model);
  if (!served && !fallback) return {};
  // The tier of the name that was asked for, where it has other models.
  Plan others = ByTier(tier, ask);
  const auto own = named ? std::optional(TierOfModel(*named)) : MappedTier(ask.model);
  if (own) {
    Choices same = OfTier(*own, ask);
    if (served) Drop(same, *named);
    if (!same.empty()) others = {same, {}};
  }
  if (!served) return others;
  if (!fallback) return {{{*named, Choice::kAnyTier}}, {}};
  Choices rest = others.wanted;
  rest.insert(rest.end(), others.fallback.begin(), others.fallback.end());
  Drop(rest, *named);
  return {{{*named, Choice::kAnyTier}}, rest};
}

Choices Planner::OfKey(const Ask& ask) const {
  Choices choices = pool_->ChoicesOf(ask.key_id);
  std::erase_if(choices, [&](const Choice& choice) {
    const std::string& model = pool_->model_name(choice.model);
    return !Capable(ask, model) || (!ask.model.empty() && ask.model != model);
  });
  return choices;
}

Tier Planner::TierOf(const Ask& ask) const {
  if (ask.tier != Tier::kAuto) return ask.tier;
  const std::int64_t size = std::clamp<std::int64_t>(ask.demand.input_tokens, 0, INT64_MAX / 4) +
                            std::clamp<std::int64_t>(ask.demand.output_tokens, 0, INT64_MAX / 4);
  if (size >= config_->auto_heavy_tokens) return Tier::kHeavy;
  return size >= config_->auto_medium_tokens ? Tier::kMedium : Tier::kLight;
}

const std::vector<std::string>& Planner::Mapping(Tier tier) const {
  if (tier == Tier::kLight) return config_->light_models;
  return tier == Tier::kMedium ? config_->medium_models : config_->heavy_models;
}

std::optional<Tier> Planner::MappedTier(const std::string& model) const {
  for (const Tier tier : kTiers) {
    const auto& names = Mapping(tier);
    if (std::find(names.begin(), names.end(), model) != names.end()) return tier;
  }
  return std::nullopt;
}

std::optional<Tier> Planner::KnownTier(std::uint32_t model) const {
  if (const auto mapped = MappedTier(pool_->model_name(model))) return *mapped;
  for (const Tier tier : kTiers) {
    if (pool_->HasTier(model, tier)) return tier;
  }
  return std::nullopt;
}

Tier Planner::TierOfModel(std::uint32_t model) const {
  return KnownTier(model).value_or(Tier::kMedium);
}

Choices Planner::OfTier(Tier tier, const Ask& ask) const {
  Choices choices;
  for (const std::string& name : Mapping(tier)) {
    const auto model = pool_->FindModel(name);
    if (!model || !Capable(ask, name) || Has(choices, *model)) continue;
    choices.push_back({*model, Choice::kAnyTier});
  }
  for (std::uint32_t model = 0; model < pool_->model_count(); ++model) {
    if (Has(choices, model) || !pool_->HasTier(model, tier)) continue;
    if (Capable(ask, pool_->model_name(model))) choices.push_back({model, tier});
  }
  return choices;
}

Plan Planner::ByTier(Tier tier, const Ask& ask) const {
  Plan plan{OfTier(tier, ask), {}};
  std::vector<std::uint32_t> rest;
  for (std::uint32_t model = 0; model < pool_->model_count(); ++model) {
    if (!Has(plan.wanted, model) && Capable(ask, pool_->model_name(model))) rest.push_back(model);
  }
  const auto rank = [&](std::uint32_t model) {
    const Tier own = TierOfModel(model);
    return std::pair(Distance(own, tier), own);
  };
  std::stable_sort(rest.begin(), rest.end(),
                   [&](std::uint32_t a, std::uint32_t b) { return rank(a) < rank(b); });
  const bool none = plan.wanted.empty();
  for (const std::uint32_t model : rest) {
    const bool nearest = none && TierOfModel(model) == TierOfModel(rest.front());
    (nearest ? plan.wanted : plan.fallback).push_back({model, Choice::kAnyTier});
  }
  return plan;
}

}  // namespace requestrouter::policy
