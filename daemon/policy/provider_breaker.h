#pragma once

#include <string>
#include <string_view>

#include "daemon/policy/classifier.h"
#include "daemon/policy/health.h"
#include "daemon/policy/types.h"

namespace requestrouter::policy {

// Tells a provider's trouble from a key's: when a second key sees the same 5xx (or the same
// failure of the network) with no success in between, the provider is to blame. It is then left
// alone for a while that doubles as its trials fail, and its keys are not blamed any more.
//
// It never outlasts the retries of those who wait: a request whose retry is due may always be the
// trial, however long the breaker would stay open for others, as long as no other trial is under
// way.
class ProviderBreaker {
 public:
  // Faults further apart than this are not the same trouble.
  static constexpr Duration kMemory = std::chrono::seconds(60);

  explicit ProviderBreaker(Duration base, Duration cap) : base_(base), cap_(cap) {}

  bool Usable(Instant now, bool retry_due) const { return UsableAt(now, retry_due) <= now; }
  Instant UsableAt(Instant now, bool retry_due) const;

  Health::Pass Admit(Instant now, bool retry_due);
  void Succeeded(const Health::Pass& pass, Instant now);
  void NoVerdict(const Health::Pass& pass, Instant now);
  // A fault of the provider or the network, seen by `key_id`. True: the provider is to blame.
  bool Failed(const Health::Pass& pass, const Fault& fault, std::string_view key_id, Instant now);

  void Reset();
  // From an earlier run.
  void Restore(KeyStateName state, const Cooldown& cooldown, Instant now);
  KeyStateName state(Instant now) const { return health_.state(now); }
  bool open(Instant now) const { return health_.state(now) != KeyStateName::kReady; }
  const Cooldown& cooldown() const { return health_.cooldown(); }

 private:
  Duration base_;
  Duration cap_;
  Health health_;
  std::string first_key_;  // that saw the fault; empty: none has
  int status_ = 0;
  Instant seen_{};
};

}  // namespace requestrouter::policy
