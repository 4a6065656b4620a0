#include "daemon/policy/provider_breaker.h"

namespace requestrouter::policy {

Instant ProviderBreaker::UsableAt(Instant now, bool retry_due) const {
  const Instant at = health_.UsableAt(now);
  return retry_due && health_.state(now) == KeyStateName::kCooling ? now : at;
}

Health::Pass ProviderBreaker::Admit(Instant now, bool retry_due) {
  const Instant until = health_.cooldown().until;
  return health_.Admit(retry_due && until > now ? until : now);
}

void ProviderBreaker::Succeeded(const Health::Pass& pass, Instant now) {
  first_key_.clear();
  health_.Ended(pass, {.kind = Health::Event::Kind::kSucceeded}, now);
}

void ProviderBreaker::NoVerdict(const Health::Pass& pass, Instant now) {
  health_.Ended(pass, {.kind = Health::Event::Kind::kNoVerdict}, now);
}

bool ProviderBreaker::Failed(const Health::Pass& pass, const Fault& fault, std::string_view key_id,
                             Instant now) {
  const bool same = !first_key_.empty() && status_ == fault.status && now - seen_ <= kMemory;
  const bool second = same && first_key_ != key_id;
  if (!same) first_key_ = key_id;
  status_ = fault.status;
  seen_ = now;
  if (!second && !pass.trial && !open(now)) return false;
  health_.Ended(pass,
                {.kind = Health::Event::Kind::kCool,
                 .base = base_,
                 .cap = cap_,
                 .until = {},
                 .reason = fault.reason,
                 .source = "several keys"},
                now);
  return true;
}

void ProviderBreaker::Reset() {
  health_.Reset();
  first_key_.clear();
}

void ProviderBreaker::Restore(KeyStateName state, const Cooldown& cooldown, Instant now) {
  health_.Restore(state, cooldown, now);
}

}  // namespace requestrouter::policy
