#include <algorithm>

#include "daemon/policy/dispatcher_impl.h"

// Which request goes next, and with which key.
namespace requestrouter::policy {

using Impl = Dispatcher::Impl;

std::optional<Grant> Impl::Next(Instant now) {
  WakeDelayed(now);
  std::optional<Proposal> best;
  for (auto& [plan, lane] : lanes_) {
    if (lane->queue.empty() || lane->blocked_until > now) continue;
    const auto proposal = Propose(*lane, now);
    if (proposal && (!best || Precedes(*proposal, *best))) best = proposal;
  }
  if (!best) return std::nullopt;
  return Send(*best, now);
}

std::optional<Impl::Proposal> Impl::Propose(Lane& lane, Instant now) {
  while (const auto ticket = lane.queue.Head(now)) {
    Request& head = requests_.at(*ticket);
    if (const Instant at = HostReadyAt(head, now); at > now) {
      lane.blocked_until = at;
      return std::nullopt;
    }
    if (const auto cell = pool_.Pick(lane.plan.wanted, WishOf(head), now)) {
      return Proposal{&head, *cell};
    }
    const Instant wanted_at = pool_.ReadyAt(lane.plan.wanted, head.ask.demand, RetryDue(head), now);
    if (const auto proposal = ProposeHead(head, wanted_at, now)) return proposal;
    if (!head.tried.empty()) {
      // What it has not tried has no room: its round is over, and it holds back nobody.
      if (auto refusal = EndRound(head, now)) refusals_.push_back(std::move(*refusal));
      continue;
    }
    if (const auto proposal = ProposeBehind(lane, head, wanted_at, now)) return proposal;
    lane.blocked_until = LaneWakesAt(lane, head, wanted_at, now);
    return std::nullopt;
  }
  return std::nullopt;
}

// With a fallback model, where that saves enough.
std::optional<Impl::Proposal> Impl::ProposeHead(Request& head, Instant wanted_at, Instant now) {
  if (head.lane->plan.fallback.empty() || !FallbackPays(head, wanted_at, now)) return std::nullopt;
  const auto cell = pool_.Pick(head.lane->plan.fallback, WishOf(head), now);
  if (!cell) return std::nullopt;
  return Proposal{&head, *cell};
}

// Those behind a head that waits: smaller ones may have what it leaves, and those so far behind
// that a fallback saves them enough may have that.
std::optional<Impl::Proposal> Impl::ProposeBehind(Lane& lane, const Request& head,
                                                  Instant wanted_at, Instant now) {
  const bool room = pool_.AnyOpen(lane.plan.wanted, now);
  const bool fallback = !lane.plan.fallback.empty() && pool_.AnyOpen(lane.plan.fallback, now);
  if (lane.queue.size() < 2 || (!room && !fallback)) return std::nullopt;
  std::size_t ahead = 0;
  for (const std::uint64_t ticket : lane.queue.Heads(now, kLookahead)) {
    Request& request = requests_.at(ticket);
    if (ahead++ == 0 || !request.tried.empty()) continue;
    if (room) {
      const auto cell = pool_.Pick(lane.plan.wanted, WishOf(request), now);
      if (cell && pool_.LeavesRoomFor(*cell, head.ask.demand, request.ask.demand, wanted_at, now)) {
        return Proposal{&request, *cell};
      }
    }
    if (!fallback) continue;
    const Instant own_turn =
        std::max(wanted_at, EtaOf(lane, request, ahead - 1, now, true).value_or(wanted_at));
    if (!FallbackPays(request, own_turn, now)) continue;
    if (const auto cell = pool_.Pick(lane.plan.fallback, WishOf(request), now)) {
      return Proposal{&request, *cell};
    }
  }
  return std::nullopt;
}

Wish Impl::WishOf(const Request& request) const {
  return {request.ask.demand, request.ask.preferred_key, request.tried, RetryDue(request)};
}

// Where nobody knows when the wanted model will be free, the time waited so far is the measure.
bool Impl::FallbackPays(const Request& request, Instant wanted_at, Instant now) const {
  const Ask& ask = request.ask;
  const Instant latest = request.attempts == 0 ? ask.wait_until : ask.deadline;
  if (wanted_at != kNever) {
    return wanted_at > latest || wanted_at - now > config_.fallback_saves;
  }
  return latest <= now || now - request.since >= config_.fallback_saves ||
         pool_.Hopeless(request.lane->plan.wanted, now);
}

Instant Impl::LaneWakesAt(Lane& lane, const Request& head, Instant wanted_at, Instant now) {
  Instant wake = wanted_at;
  if (!lane.plan.fallback.empty()) {
    const Instant fallback_at =
        pool_.ReadyAt(lane.plan.fallback, head.ask.demand, RetryDue(head), now);
    if (fallback_at > now) {
      wake = std::min(wake, fallback_at);
    } else if (wanted_at == kNever && head.since + config_.fallback_saves > now) {
      wake = std::min(wake, head.since + config_.fallback_saves);
    }
  }
  // What is already due but could not be used changes by an event only.
  return wake > now ? wake : kNever;
}

bool Impl::Precedes(const Proposal& a, const Proposal& b) const {
  const double time_a = ledgers_[a.cell.model].TimeOf(a.request->ask.uid);
  const double time_b = ledgers_[b.cell.model].TimeOf(b.request->ask.uid);
  if (a.cell.model == b.cell.model && time_a != time_b) return time_a < time_b;
  return a.request->seq < b.request->seq;
}

Instant Impl::HostReadyAt(const Request& request, Instant now) const {
  return host_limit_ && request.attempts == 0 ? host_limit_->ReadyAt(now) : now;
}

Grant Impl::Send(const Proposal& proposal, Instant now) {
  Request& request = *proposal.request;
  const Ask& ask = request.ask;
  const bool retry_due = RetryDue(request);
  const KeyState& key = pool_.key(proposal.cell);
  const std::string& model = pool_.model_name(proposal.cell.model);
  Grant grant{ask.ticket,
              ++request.attempts,
              key.spec.key_id,
              pool_.quota(proposal.cell).group,
              key.spec.provider,
              model,
              !ask.model.empty() && ask.model != model,
              ask.demand,
              now - request.since};
  if (request.attempts == 1 && host_limit_) host_limit_->Take(now);
  Move(request, Place::kInFlight);
  request.booked = false;
  request.admission = pool_.Admit(proposal.cell, ask.demand, retry_due, now);
  request.cell = proposal.cell;
  const std::uint32_t used = proposal.cell.model;
  Charge(request, used, pool_.ShareOf(used, ask.demand));
  return grant;
}

// In every lane whose requests want that model, waiting there or not: they compete for it.
void Impl::Charge(const Request& request, std::uint32_t model, double cost) {
  const Ask& ask = request.ask;
  for (auto& [plan, lane] : lanes_) {
    const bool wants = std::any_of(plan.wanted.begin(), plan.wanted.end(),
                                   [&](const Choice& choice) { return choice.model == model; });
    if (wants || lane.get() == request.lane) lane->queue.Charge(ask.uid, ask.pid, ask.agent, cost);
  }
  const auto weight = weights_.uids.find(ask.uid);
  ledgers_[model].Charge(
      ask.uid, weight == weights_.uids.end() || weight->second <= 0 ? cost : cost / weight->second);
}

}  // namespace requestrouter::policy
