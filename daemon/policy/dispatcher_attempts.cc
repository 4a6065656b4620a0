#include <algorithm>
#include <utility>

#include "daemon/policy/dispatcher_impl.h"
#include "daemon/policy/retry.h"

// The ends of attempts, and retries.
namespace requestrouter::policy {
namespace {

bool Retryable(FaultKind kind) {
  return kind != FaultKind::kNone && kind != FaultKind::kRequest && kind != FaultKind::kContent;
}

bool TakesKeysAway(FaultKind kind) {
  return kind == FaultKind::kKeyInvalid || kind == FaultKind::kBilling || kind == FaultKind::kModel;
}

}  // namespace

using Impl = Dispatcher::Impl;

std::optional<Refusal> Impl::Finished(std::uint64_t ticket, const Report& report, Instant now) {
  const auto found = requests_.find(ticket);
  if (found == requests_.end() || found->second.place != Place::kInFlight) return std::nullopt;
  Request& request = found->second;
  const Admission admission = *std::exchange(request.admission, std::nullopt);
  pool_.End(admission, report, now);
  // Usage above its estimate is paid for like any other.
  const auto model = pool_.FindModel(admission.quota->model);
  if (report.used && model) {
    const double extra =
        pool_.ShareOf(*model, *report.used) - pool_.ShareOf(*model, request.ask.demand);
    if (extra > 0) Charge(request, *model, extra);
  }
  lanes_suspect_ = lanes_suspect_ || (waiting_ > 0 && TakesKeysAway(report.fault.kind));
  WakeLanes();
  request.since = now;
  const Fault& fault = report.fault;
  if (fault.kind == FaultKind::kNone || request.abandoned) {
    Forget(ticket);
    return std::nullopt;
  }
  request.last_fault = fault;
  request.tried.emplace_back(admission.key.get(), admission.quota.get());
  if (!report.may_retry || !Retryable(fault.kind)) return Fail(request, now);
  return Retry(request, now);
}

Amounts Impl::AmountsOf(std::uint64_t ticket, const std::optional<Demand>& used) const {
  const auto found = requests_.find(ticket);
  if (found == requests_.end() || !found->second.admission) return {};
  const Admission& admission = *found->second.admission;
  return admission.quota->quota.AmountsOf(admission.reservation, used);
}

std::optional<Refusal> Impl::Retry(Request& request, Instant now) {
  const Choices all = AllOf(request.lane->plan);
  if (all.empty() || pool_.Hopeless(all, now)) return Fail(request, now);
  if (!CanGoOn(request, now)) return EndRound(request, now);
  request.not_before = now;
  Move(request, Place::kQueued);
  return std::nullopt;
}

// Whether a key that it has not tried in this round has room for it now.
bool Impl::CanGoOn(const Request& request, Instant now) {
  const Plan& plan = request.lane->plan;
  if (pool_.Pick(plan.wanted, WishOf(request), now)) return true;
  if (plan.fallback.empty()) return false;
  const Instant wanted_at = pool_.ReadyAt(plan.wanted, request.ask.demand, RetryDue(request), now);
  return FallbackPays(request, wanted_at, now) &&
         pool_.Pick(plan.fallback, WishOf(request), now).has_value();
}

std::optional<Refusal> Impl::EndRound(Request& request, Instant now) {
  if (request.round >= config_.retry.max_retries) return Fail(request, now);
  ++request.round;
  const double random = static_cast<double>(random_() >> 11) * 0x1.0p-53;
  // The floor of a quota's fault is its cooldown: other keys need not wait for it.
  const bool floor = request.last_fault && (request.last_fault->kind == FaultKind::kProvider ||
                                            request.last_fault->kind == FaultKind::kNetwork);
  const Duration delay =
      RetryDelay(config_.retry, request.round, random,
                 floor ? request.last_fault->retry_after : std::optional<Duration>());
  if (delay > request.ask.deadline - now) return Fail(request, now);
  if (request.place == Place::kQueued) Move(request, Place::kNowhere);
  request.tried.clear();
  request.not_before = now + delay;
  const Instant ready = pool_.ReadyAt(AllOf(request.lane->plan), request.ask.demand, true, now);
  if (ready != kNever && ready > ExpiresAt(request)) return Fail(request, now);
  Move(request, Place::kDelayed);
  return std::nullopt;
}

Refusal Impl::Fail(const Request& request, Instant now) {
  Refusal refusal;
  refusal.ticket = request.ask.ticket;
  refusal.reason = RefusalReason::kFault;
  refusal.fault = request.last_fault.value_or(Fault{});
  refusal.message = refusal.fault->message;
  if (Retryable(refusal.fault->kind)) {
    const Instant ready = pool_.ReadyAt(AllOf(request.lane->plan), request.ask.demand, false, now);
    if (ready != kNever) refusal.retry_after = ready - now;
  }
  refusal.past_deadline = now >= request.ask.deadline;
  Forget(refusal.ticket);
  return refusal;
}

}  // namespace requestrouter::policy
