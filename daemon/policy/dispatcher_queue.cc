#include <algorithm>
#include <cmath>
#include <utility>

#include "daemon/policy/dispatcher_impl.h"
#include "daemon/policy/invariant.h"

// Entering, waiting, being chosen, leaving.
namespace requestrouter::policy {

namespace {

Refusal Refuse(const Ask& ask, RefusalReason reason, std::string message) {
  Refusal refusal;
  refusal.ticket = ask.ticket;
  refusal.reason = reason;
  refusal.message = std::move(message);
  return refusal;
}

}  // namespace

using Impl = Dispatcher::Impl;

Impl::Impl(Config config, std::uint64_t seed)
    : pool_(seed), planner_(&config_, &pool_), random_(seed + 1) {
  Configure(std::move(config), Instant{});
}

void Impl::Configure(Config config, Instant now) {
  config_ = std::move(config);
  weights_ = {config_.uid_weights, config_.agent_weights};
  pool_.Configure(config_, now);
  caller_limits_.Configure(config_.user_limit);
  if (!config_.host_limit) {
    host_limit_.reset();
  } else if (host_limit_) {
    host_limit_->SetSpec(*config_.host_limit);
  } else {
    host_limit_.emplace(*config_.host_limit);
  }
  ledgers_.assign(pool_.model_count(), {});
  lanes_suspect_ = waiting_ > 0;
  // Everybody's plan is made anew; those in flight come back to the new lanes.
  std::vector<Request*> queued;
  for (auto& [ticket, request] : requests_) {
    if (request.place == Place::kQueued) queued.push_back(&request);
  }
  std::sort(queued.begin(), queued.end(), [](auto* a, auto* b) { return a->seq < b->seq; });
  for (Request* request : queued) Move(*request, Place::kNowhere);
  lanes_.clear();
  for (auto& [ticket, request] : requests_) {
    request.lane = &LaneOf(planner_.Make(request.ask));
    ++request.lane->requests;
    request.tried.clear();
    request.cell.reset();
  }
  for (Request* request : queued) Move(*request, Place::kQueued);
}

// ---- places

void Impl::Move(Request& request, Place to) {
  const std::uint64_t ticket = request.ask.ticket;
  const auto waits = [](Place place) {
    return place == Place::kQueued || place == Place::kDelayed;
  };
  if (waits(request.place)) {
    --waiting_;
    expiries_.erase({request.expires, ticket});
  }
  const Demand& demand = request.ask.demand;
  Lane& lane = *request.lane;
  if (request.place == Place::kQueued) {
    lane.queue.Remove(ticket);
    lane.input_tokens -= demand.input_tokens;
    lane.output_tokens -= demand.output_tokens;
    lane.max_output_tokens -= demand.max_output_tokens;
    lane.blocked_until = kAwake;
  }
  if (request.place == Place::kDelayed) delayed_.erase({request.not_before, ticket});
  request.place = to;
  if (waits(to)) {
    ++waiting_;
    request.expires = ExpiresAt(request);
    expiries_.emplace(request.expires, ticket);
  }
  if (to == Place::kDelayed) delayed_.emplace(request.not_before, ticket);
  if (to != Place::kQueued) return;
  lane.queue.Push(ItemOf(request));
  lane.input_tokens += demand.input_tokens;
  lane.output_tokens += demand.output_tokens;
  lane.max_output_tokens += demand.max_output_tokens;
  lane.blocked_until = kAwake;
}

void Impl::Forget(std::uint64_t ticket) {
  Request& request = requests_.at(ticket);
  if (request.booked) caller_limits_.GiveBack(request.ask.uid, request.ask.user_id);
  Move(request, Place::kNowhere);
  --request.lane->requests;
  requests_.erase(ticket);
}

// A retry may wait as long again as the first attempt might, never past the deadline.
Instant Impl::ExpiresAt(const Request& request) const {
  const Ask& ask = request.ask;
  if (request.attempts == 0) return std::max(ask.wait_until, request.not_before);
  const Duration patience = std::max(ask.wait_until - request.entered, kSlack);
  if (ask.deadline - request.not_before <= patience) return ask.deadline;
  return request.not_before + patience;
}

FairQueue::Item Impl::ItemOf(const Request& request) const {
  const Ask& ask = request.ask;
  return {ask.ticket, request.seq, ask.uid, ask.pid, ask.agent, ask.priority, request.entered};
}

Impl::Lane& Impl::LaneOf(const Plan& plan) {
  if (lanes_.size() > kManyLanes) DropUnusedLanes();
  auto& lane = lanes_[plan];
  if (!lane) {
    lane = std::make_unique<Lane>(
        Lane{plan, FairQueue(&weights_, config_.age_step), kAwake, 0, 0, 0, 0, {}});
  }
  return *lane;
}

void Impl::DropUnusedLanes() {
  std::erase_if(lanes_, [](const auto& entry) { return entry.second->requests == 0; });
}

void Impl::WakeDelayed(Instant now) {
  while (!delayed_.empty() && delayed_.begin()->first <= now) {
    Move(requests_.at(delayed_.begin()->second), Place::kQueued);
  }
}

void Impl::KeysChanged() {
  lanes_suspect_ = waiting_ > 0;
  WakeLanes();
}

void Impl::WakeLanes() {
  for (auto& [plan, lane] : lanes_) lane->blocked_until = kAwake;
}

// ---- entering

std::optional<Refusal> Impl::Enter(Ask ask, Instant now) {
  Require(!requests_.contains(ask.ticket), "a ticket enters once");
  ask.wait_until = std::min(std::max(ask.wait_until, now), ask.deadline);
  for (std::int64_t* tokens : {&ask.demand.input_tokens, &ask.demand.output_tokens,
                               &ask.demand.max_output_tokens, &ask.demand.cached_tokens}) {
    *tokens = ClampTokens(*tokens);
  }
  const Plan plan = planner_.Make(ask);
  if (auto refusal = RefuseAtOnce(ask, plan, now)) return refusal;
  const auto slot = caller_limits_.Book(ask.uid, ask.user_id, now, ask.wait_until);
  if (!slot) {
    Refusal refusal = Refuse(ask, RefusalReason::kCallerLimit,
                             "user_id " + ask.user_id + " is over its requests per minute");
    refusal.retry_after = caller_limits_.ReadyAt(ask.uid, ask.user_id, now) - now;
    return refusal;
  }
  Request request;
  request.ask = std::move(ask);
  request.seq = next_seq_++;
  request.lane = &LaneOf(plan);
  request.since = request.entered = now;
  request.not_before = *slot;
  request.booked = config_.user_limit && !request.ask.user_id.empty();
  if (auto refusal = RefuseLate(request, now)) {
    if (request.booked) caller_limits_.GiveBack(request.ask.uid, request.ask.user_id);
    return refusal;
  }
  const std::uint64_t ticket = request.ask.ticket;
  Request& stored = requests_.emplace(ticket, std::move(request)).first->second;
  ++stored.lane->requests;
  Move(stored, *slot > now ? Place::kDelayed : Place::kQueued);
  return std::nullopt;
}

std::optional<Refusal> Impl::RefuseAtOnce(const Ask& ask, const Plan& plan, Instant now) const {
  if (auto refusal = RefuseHopeless(ask, plan, now)) return refusal;
  if (const auto limit = pool_.NeverFits(AllOf(plan), ask.demand)) {
    const std::string name = Name(limit->first);
    Refusal refusal =
        Refuse(ask, RefusalReason::kTooLarge,
               "larger than " + name + " (" + std::to_string(limit->second) + ") ever allows");
    refusal.limit = name;
    return refusal;
  }
  if (waiting_ >= config_.max_waiting) {
    return Refuse(ask, RefusalReason::kQueueFull,
                  std::to_string(waiting_) + " requests are waiting already");
  }
  return std::nullopt;
}

bool Impl::IsHopeless(const Plan& plan, Instant now) const {
  return plan.wanted.empty() || pool_.Hopeless(AllOf(plan), now);
}

std::optional<Refusal> Impl::RefuseHopeless(const Ask& ask, const Plan& plan, Instant now) const {
  if (!IsHopeless(plan, now)) return std::nullopt;
  if (plan.wanted.empty()) {
    return Refuse(ask, RefusalReason::kNoSuchModel,
                  ask.model.empty() ? "no key serves any model that could answer"
                                    : "no key serves " + ask.model);
  }
  if (pool_.AllDisabled(AllOf(plan))) {
    return Refuse(ask, RefusalReason::kNoKeys,
                  "every key that could answer is disabled or has no secret");
  }
  return Refuse(ask, RefusalReason::kNoSuchModel,
                "the provider does not serve " + pool_.model_name(plan.wanted.front().model) +
                    " to any of the keys");
}

// Refuses one that could only be sent after it stops waiting. Where no time is known it may wait.
std::optional<Refusal> Impl::RefuseLate(const Request& request, Instant now) {
  Lane& lane = *request.lane;
  const Ask& ask = request.ask;
  const bool room = lane.queue.empty() && pool_.Pick(lane.plan.wanted, WishOf(request), now);
  if (room && !host_limit_) return std::nullopt;
  const std::size_t ahead = AheadOf(lane, request, now);
  if (host_limit_) {
    const Instant at = host_limit_->ReadyAt(now, static_cast<std::int64_t>(ahead) + 1);
    if (at > ask.wait_until) {
      Refusal refusal =
          Refuse(ask, RefusalReason::kCallerLimit, "the host is over its requests per minute");
      refusal.retry_after = at - now;
      return refusal;
    }
  }
  if (room) return std::nullopt;
  const auto eta = EtaOf(lane, request, ahead, now);
  const bool late = eta ? *eta > ask.wait_until : ask.wait_until <= now;
  if (!late) return std::nullopt;
  Refusal refusal =
      Refuse(ask, RefusalReason::kNoCapacity, "no key that could answer has capacity in time");
  if (eta) refusal.retry_after = *eta - now;
  return refusal;
}

Wish Impl::WishOf(const Request& request) const {
  return {request.ask.demand, request.ask.preferred_key, request.tried, RetryDue(request)};
}

// ---- choosing

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
    if (ahead++ == 0 || &request == &head || !request.tried.empty()) continue;
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

// ---- leaving

bool Impl::Leave(std::uint64_t ticket) {
  const auto found = requests_.find(ticket);
  if (found == requests_.end()) return false;
  if (found->second.place == Place::kInFlight) {
    found->second.abandoned = true;
    return false;
  }
  Forget(ticket);
  return true;
}

std::vector<Refusal> Impl::Expire(Instant now) {
  std::vector<Refusal> expired = std::exchange(refusals_, {});
  while (!expiries_.empty() && expiries_.begin()->first < now) {
    Request& request = requests_.at(expiries_.begin()->second);
    expired.push_back(ExpiredRefusal(request, now));
    Forget(request.ask.ticket);
  }
  if (std::exchange(lanes_suspect_, false)) RefuseWaitersWithoutKeys(expired, now);
  return expired;
}

// Those who are delayed, too: nothing that they wait for can help them.
void Impl::RefuseWaitersWithoutKeys(std::vector<Refusal>& refusals, Instant now) {
  std::set<const Lane*> hopeless;
  for (const auto& [plan, lane] : lanes_) {
    if (IsHopeless(plan, now)) hopeless.insert(lane.get());
  }
  if (hopeless.empty()) return;
  std::vector<const Request*> waiters;
  for (const auto& [expires, ticket] : expiries_) {
    const Request& request = requests_.at(ticket);
    if (hopeless.contains(request.lane)) waiters.push_back(&request);
  }
  std::sort(waiters.begin(), waiters.end(), [](auto* a, auto* b) { return a->seq < b->seq; });
  for (const Request* request : waiters) {
    refusals.push_back(*RefuseHopeless(request->ask, request->lane->plan, now));
    refusals.back().fault = request->last_fault;
    Forget(request->ask.ticket);
  }
}

Refusal Impl::ExpiredRefusal(const Request& request, Instant now) {
  Refusal refusal =
      Refuse(request.ask, RefusalReason::kExpired, "no key that could answer had capacity in time");
  refusal.fault = request.last_fault;
  refusal.past_deadline = now >= request.ask.deadline;
  if (request.last_fault && !refusal.past_deadline) {
    refusal.reason = RefusalReason::kFault;
    refusal.message = request.last_fault->message;
  }
  Lane& lane = *request.lane;
  if (const auto eta = EtaOf(lane, request, AheadOf(lane, request, now), now)) {
    refusal.retry_after = std::max(*eta - now, Duration::zero());
  }
  return refusal;
}

Instant Impl::NextDeadline(Instant now) const {
  if (!refusals_.empty() || (lanes_suspect_ && waiting_ > 0)) return now;
  Instant next = kNever;
  if (!expiries_.empty() && expiries_.begin()->first != kNever) {
    next = expiries_.begin()->first + Duration(1);  // it may still be sent at that instant
  }
  if (!delayed_.empty()) next = std::min(next, delayed_.begin()->first);
  for (const auto& [plan, lane] : lanes_) {
    if (!lane->queue.empty()) next = std::min(next, lane->blocked_until);
  }
  return std::max(next, now);
}

void Impl::SanityCheck(Instant now) const {
  std::size_t queued = 0, delayed = 0, in_flight = 0;
  for (const auto& [ticket, request] : requests_) {
    queued += request.place == Place::kQueued;
    delayed += request.place == Place::kDelayed;
    in_flight += request.place == Place::kInFlight;
    Require(request.place != Place::kNowhere, "every request is somewhere");
    Require(request.admission.has_value() == (request.place == Place::kInFlight),
            "exactly the requests in flight hold a reservation");
  }
  std::size_t in_lanes = 0;
  for (const auto& [plan, lane] : lanes_) {
    lane->queue.SanityCheck();
    in_lanes += lane->queue.size();
    Require(!lane->queue.empty() || lane->input_tokens == 0, "an empty lane waits for nothing");
  }
  Require(in_lanes == queued, "every queued request is in one lane");
  Require(delayed_.size() == delayed, "every delayed request has its instant");
  Require(expiries_.size() == queued + delayed && waiting_ == queued + delayed,
          "every waiting request expires");
  std::int64_t of_keys = 0;
  for (const KeyStatus& key : pool_.Keys(now)) of_keys += key.in_flight;
  Require(of_keys <= static_cast<std::int64_t>(in_flight), "keys count what is in flight");
  pool_.SanityCheck(now);
}

}  // namespace requestrouter::policy
