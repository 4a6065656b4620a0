#include <algorithm>
#include <utility>

#include "daemon/policy/dispatcher_impl.h"

// The end of waiting: by leaving, by time, or because no key is left.
namespace requestrouter::policy {

using Impl = Dispatcher::Impl;

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

}  // namespace requestrouter::policy
