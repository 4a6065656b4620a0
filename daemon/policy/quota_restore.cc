#include "daemon/policy/quota.h"

// What an earlier run counted, and forgetting all counts.
namespace requestrouter::policy {

void Quota::RestoreAttempts(const Amounts& counted, Instant at) {
  for (std::size_t i = 0; i < kMinuteKinds; ++i) {
    if (minutes_[i]) minutes_[i]->window.Add(counted[i], at);
  }
}

void Quota::RestoreFullWindows(Instant at, Instant now) {
  for (auto& counted : minutes_) {
    if (counted) counted->window.Add(counted->window.limit() - counted->window.Used(now), at);
  }
}

void Quota::RestoreDay(const Amounts& counted, Instant at, Instant now) {
  for (std::size_t i = 0; i < days_.size(); ++i) {
    if (days_[i]) days_[i]->counter.Restore(counted[kFirstDay + i], at, now);
  }
}

void Quota::Clear() {
  for (auto& counted : minutes_) {
    if (!counted) continue;
    counted->window.Clear();
    counted->window.SetLimit(counted->configured, counted->window.window());
    counted->born = serial_;
  }
  for (auto& counted : days_) {
    if (!counted) continue;
    counted->counter.Clear();
    counted->born = serial_;
  }
  next_slot_ = Instant::min();
}

}  // namespace requestrouter::policy
