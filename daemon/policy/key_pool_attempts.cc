#include "daemon/policy/key_pool.h"

#include "daemon/policy/health_rules.h"

// What the begin and the end of an attempt do to its quota, its key and its provider.
namespace requestrouter::policy {

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
  const Fault& fault = report.fault;
  if (report.conclusive) {
    if (!fault.message.empty()) admission.key->last_error = fault.message;
    if (fault.kind == FaultKind::kModel) Exclude(admission, now + kNotServed);
  }
  QuotaState& quota = *admission.quota;
  const bool day = report.conclusive && fault.kind == FaultKind::kDayQuota;
  const Health::Event event = QuotaEvent(report, day ? quota.quota.DayEnd(now) : kNever);
  if (quota.health.Ended(admission.quota_pass, event, now)) MarkChanged(quota);
  KeyState& key = *admission.key;
  const bool provider_to_blame = EndProviderHealth(admission, report, now);
  if (provider_to_blame) key.health.ForgiveFailures();
  if (key.health.Ended(admission.key_pass, KeyEvent(report, provider_to_blame), now)) {
    Mark(key.changed);
  }
}

bool KeyPool::EndProviderHealth(const Admission& admission, const Report& report, Instant now) {
  ProviderBreaker& breaker = admission.key->provider->breaker;
  const Health::Pass& pass = admission.provider_pass;
  switch (ProviderVerdict(report)) {
    case Health::Event::Kind::kSucceeded:
      breaker.Succeeded(pass, now);
      return false;
    case Health::Event::Kind::kFailed:
      return breaker.Failed(pass, report.fault, admission.key->spec.key_id, now);
    default:
      breaker.NoVerdict(pass, now);
      return false;
  }
}

void KeyPool::Exclude(const Admission& admission, Instant until) {
  const auto cells = cells_of_.find(admission.key.get());
  if (cells == cells_of_.end()) return;
  for (const CellId cell : cells->second) {
    Cell& of = models_[cell.model].cells[cell.index];
    if (of.quota == admission.quota) of.excluded_until = until;
  }
}

}  // namespace requestrouter::policy
