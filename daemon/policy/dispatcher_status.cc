#include <algorithm>
#include <optional>
#include <utility>

#include "daemon/policy/dispatcher_impl.h"

// Where requests stand, and why.
namespace requestrouter::policy {

using Impl = Dispatcher::Impl;

namespace {

// Forecasts of many keys are kept for so long, whatever happens meanwhile: what they leave out is
// less than what they cost.
constexpr Duration kForecastLife = std::chrono::milliseconds(20);
constexpr std::size_t kCheapCells = 64;  // up to so many, forecasts are made anew every time
// Rows of an explanation, which is made for every attempt: the chosen key and these others.
constexpr std::size_t kMaxConsidered = 24;

}  // namespace

bool Impl::IsWaiting(std::uint64_t ticket) const {
  const auto found = requests_.find(ticket);
  return found != requests_.end() && found->second.place != Place::kInFlight;
}

const Lane::Forecasts& Impl::ForecastsOf(Lane& lane, Instant now) {
  const auto& old = lane.forecasts;
  const bool same = old && old->at == now && old->version == pool_.version();
  const bool many = pool_.cell_count() > kCheapCells;
  const bool recent = old && many && old->at <= now && now - old->at < kForecastLife;
  if (!same && !recent) {
    lane.forecasts.emplace(Lane::Forecasts{pool_.version(), now,
                                           Forecast(pool_, lane.plan.wanted, now),
                                           Forecast(pool_, lane.plan.fallback, now)});
  }
  return *lane.forecasts;
}

std::optional<Instant> Impl::EtaOf(Lane& lane, const Request& request, std::size_t ahead,
                                   Instant now, bool wanted_only) {
  if (lane.plan.wanted.empty()) return std::nullopt;
  const auto& forecasts = ForecastsOf(lane, now);
  const auto need = [&](std::uint32_t model) {
    const LimitSet& limits = pool_.quota({model, 0}).quota.limits();
    Amounts amounts = CountAmounts(limits, request.ask.demand);
    const Amounts each = CountAmounts(limits, lane.AverageDemand());
    const auto count = static_cast<std::int64_t>(ahead);
    for (std::size_t i = 0; i < amounts.size(); ++i) {
      if (ahead > 0) amounts[i] += count * each[i];
    }
    return amounts;
  };
  Instant eta = forecasts.wanted.When(need(lane.plan.wanted.front().model));
  if (!wanted_only && !lane.plan.fallback.empty() && FallbackPays(request, eta, now)) {
    eta = std::min(eta, forecasts.fallback.When(need(lane.plan.fallback.front().model)));
  }
  if (eta == kNever) return std::nullopt;
  return std::max({eta, request.not_before, now});
}

// In its own lane, and in others whose first choice is the same model.
std::size_t Impl::AheadOf(Lane& lane, const Request& request, Instant now) const {
  const FairQueue::Item item = ItemOf(request);
  std::size_t ahead = 0;
  for (const auto& [plan, other] : lanes_) {
    if (other->queue.empty()) continue;
    const bool rival = other.get() == &lane || (!plan.wanted.empty() && !lane.plan.wanted.empty() &&
                                                plan.wanted.front() == lane.plan.wanted.front());
    if (rival) ahead += other->queue.Ahead(item, now);
  }
  return ahead;
}

std::optional<Standing> Impl::StandingOf(std::uint64_t ticket, Instant now) {
  const auto found = requests_.find(ticket);
  if (found == requests_.end() || !IsWaiting(ticket)) return std::nullopt;
  Request& request = found->second;
  const std::size_t ahead = AheadOf(*request.lane, request, now);
  Standing standing{ticket, ahead + 1, {}, now - request.since};
  if (const auto eta = EtaOf(*request.lane, request, ahead, now)) standing.eta = *eta - now;
  return standing;
}

std::vector<Standing> Impl::Waiting(Instant now) {
  std::vector<Standing> all;
  const auto add = [&](const Request& request, std::size_t position, std::size_t ahead) {
    Standing standing{request.ask.ticket, position, {}, now - request.since};
    if (const auto eta = EtaOf(*request.lane, request, ahead, now)) standing.eta = *eta - now;
    all.push_back(standing);
  };
  for (const auto& [plan, lane] : lanes_) {
    std::size_t position = 0;
    for (const std::uint64_t ticket : lane->queue.Order(now)) {
      const std::size_t ahead = position++;
      add(requests_.at(ticket), position, ahead);
    }
  }
  for (const auto& [at, ticket] : delayed_) {
    const Request& request = requests_.at(ticket);
    const std::size_t ahead = AheadOf(*request.lane, request, now);
    add(request, ahead + 1, ahead);
  }
  std::stable_sort(all.begin(), all.end(),
                   [](const auto& a, const auto& b) { return a.position < b.position; });
  return all;
}

bool Impl::IsAvailable(std::string_view model, Instant now) {
  const auto found = pool_.FindModel(model);
  return found && pool_.AnyOpen({{*found, Choice::kAnyTier}}, now);
}

std::vector<Considered> Impl::Consider(const Ask& ask, Instant now) {
  const auto found = requests_.find(ask.ticket);
  const Request* request = found == requests_.end() ? nullptr : &found->second;
  std::optional<Plan> made;
  const Plan& plan = request ? request->lane->plan : made.emplace(planner_.Make(ask));
  const Tried none;
  const Wish wish{ask.demand, ask.preferred_key, request ? request->tried : none,
                  request && RetryDue(*request)};
  const bool in_flight = request && request->admission;
  const auto chosen = in_flight ? request->cell : pool_.Pick(plan.wanted, wish, now);
  const auto verdict = [&](CellId cell) {
    Considered one{pool_.key(cell).spec.key_id, pool_.model_name(cell.model), "", {}};
    const bool wanted = pool_.Among(plan.wanted, cell);
    if (chosen == cell) {
      one.verdict = "chosen";
    } else if (!wanted && !pool_.Among(plan.fallback, cell)) {
      one.verdict = "other_model";
    } else if (WasTried(wish.tried, pool_.key(cell), pool_.quota(cell))) {
      one.verdict = "tried";
    } else if (const auto obstacle = pool_.Judge(cell, ask.demand, wish.retry_due, now)) {
      one.verdict = obstacle->word;
      if (obstacle->until != kNever) one.until = obstacle->until;
    } else {
      one.verdict = wanted ? "not_preferred" : "fallback";
    }
    return one;
  };
  Choices every = AllOf(plan);
  for (std::uint32_t model = 0; model < pool_.model_count(); ++model) {
    every.push_back({model, Choice::kAnyTier});
  }
  std::vector<Considered> all;
  all.reserve(std::min(pool_.cell_count(), kMaxConsidered));
  if (chosen) all.push_back(verdict(*chosen));
  std::vector<CellId> seen;
  pool_.AnyCell(every, [&](CellId cell) {
    const bool is_new = std::find(seen.begin(), seen.end(), cell) == seen.end();
    if (is_new) seen.push_back(cell);
    if (is_new && chosen != cell) all.push_back(verdict(cell));
    return all.size() >= kMaxConsidered;
  });
  return all;
}

}  // namespace requestrouter::policy
