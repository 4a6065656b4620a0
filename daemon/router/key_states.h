#pragma once

#include "daemon/policy/dispatcher.h"
#include "daemon/router/catalog.h"
#include "daemon/router/clock.h"
#include "storage/store.h"

namespace requestrouter::router {

// The name of a state on the wire and in the database.
std::string_view Name(policy::KeyStateName state);

// What an attempt counts for, as it is stored.
template <typename Attempt>  // storage::AttemptOpened or storage::AttemptClosed
void SetCounted(const policy::Amounts& counted, Attempt& attempt) {
  const auto of = [&](policy::LimitKind kind) { return counted[static_cast<std::size_t>(kind)]; };
  attempt.input_tokens = of(policy::LimitKind::kItpm);
  attempt.output_tokens = of(policy::LimitKind::kOtpm);
  attempt.counted_tokens = of(policy::LimitKind::kTpm);
}

// As it is stored, in wall time.
storage::KeyState ToStored(const policy::KnownHealth& known, const Clock& clock);

// Puts the stored states, windows and day counts of the last daemon into policy. A cooldown that
// would end later than any provider's day is clamped: the clock has jumped. Where a power cut may
// have lost attempts, the minute windows count as full until a minute after the machine started.
void RestoreQuota(const storage::Recovered& recovered, const Catalog& catalog, const Clock& clock,
                  policy::Dispatcher& dispatcher);

}  // namespace requestrouter::router
