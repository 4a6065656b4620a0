#include "daemon/policy/quota.h"

#include <algorithm>

// What the provider says of its limits, in headers and by refusing.
namespace requestrouter::policy {

void Quota::Correct(const RemainingQuota& remaining, Instant now) {
  const auto correct = [&](LimitKind kind, const std::optional<std::int64_t>& left) {
    auto& counted = minutes_[IndexOf(kind)];
    if (!counted || !left) return;
    const std::int64_t limit = counted->window.limit();
    const std::int64_t used = limit - std::clamp<std::int64_t>(*left, 0, limit);
    counted->window.Add(used - counted->window.Used(now), now);
  };
  correct(LimitKind::kRpm, remaining.requests);
  correct(LimitKind::kTpm, remaining.tokens);
  correct(LimitKind::kItpm, remaining.input_tokens);
  correct(LimitKind::kOtpm, remaining.output_tokens);
}

void Quota::Learn(LimitKind kind, const Reservation& refused, Instant now) {
  auto& counted = minutes_[IndexOf(kind)];
  if (!counted) return;
  const std::int64_t accepted = counted->window.Used(now) - amounts_in_flight_[IndexOf(kind)] -
                                refused.amounts[IndexOf(kind)];
  const std::int64_t limit = counted->window.limit();
  const Duration window = counted->window.window();
  if (accepted >= limit) return;
  if (counted->learned_at == Instant::min() || now - counted->learned_at >= window) {
    counted->floor = std::max<std::int64_t>(limit / 2, 1);
    counted->learned_at = now;
  }
  counted->window.SetLimit(std::min(limit, std::max(accepted, counted->floor)), window);
  counted->raised_at = now;
}

void Quota::Raise(Instant now) {
  constexpr std::int64_t kSteps = 8;
  for (auto& counted : minutes_) {
    if (!counted || counted->window.limit() >= counted->configured) continue;
    if (now - counted->raised_at < counted->window.window()) continue;
    const std::int64_t step = std::max<std::int64_t>(counted->configured / kSteps, 1);
    counted->window.SetLimit(std::min(counted->window.limit() + step, counted->configured),
                             counted->window.window());
    counted->raised_at = now;
  }
}

}  // namespace requestrouter::policy
