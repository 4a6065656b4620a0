#include <algorithm>
#include <utility>

#include "daemon/policy/dispatcher_impl.h"
#include "daemon/policy/invariant.h"

// A request is taken in, or refused at once.
namespace requestrouter::policy {

using Impl = Dispatcher::Impl;

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

Refusal Impl::Refuse(const Ask& ask, RefusalReason reason, std::string message) {
  Refusal refusal;
  refusal.ticket = ask.ticket;
  refusal.reason = reason;
  refusal.message = std::move(message);
  return refusal;
}

}  // namespace requestrouter::policy
