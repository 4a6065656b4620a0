#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/policy/pool_config.h"
#include "daemon/policy/request.h"
#include "daemon/policy/status.h"
#include "daemon/policy/token_rule.h"
#include "daemon/policy/types.h"

// The front of policy: requests go in, grants (a request, a key, a model and a reservation) come
// out, and reports of attempts decide what happens next. Owns the limits, the key pool, the
// cooldowns, the caller limits and the queue.
namespace requestrouter::policy {

class Dispatcher {
 public:
  Dispatcher(Config config, std::uint64_t seed);
  ~Dispatcher();
  Dispatcher(const Dispatcher&) = delete;
  Dispatcher& operator=(const Dispatcher&) = delete;

  // Reload: keys that stay keep windows, day counts, cooldowns and reservations.
  void Configure(Config config, Instant now);

  // Time never decreases. Enter, Next and Expire of one turn of the loop take the same `now`, Next
  // before Expire: what may not wait is sent at that instant or never.

  // Puts a request in the queue, or refuses it at once. An admitted one comes out of Next() when
  // its turn has come, or of Expire().
  std::optional<Refusal> Enter(Ask ask, Instant now);

  // The next request to send, or nullopt when nothing can be sent now. Call until nullopt.
  std::optional<Grant> Next(Instant now);

  // Requests whose time has come to be refused.
  std::vector<Refusal> Expire(Instant now);

  // The caller left or cancelled: forgets a waiting request. An attempt in flight stays until its
  // Report. False: not waiting here.
  bool Leave(std::uint64_t ticket, Instant now);

  // An attempt ended: settles its reservation and moves the key's state. nullopt: the request
  // succeeded and is forgotten, or it waits in the queue again to be retried (see IsWaiting).
  std::optional<Refusal> Finished(std::uint64_t ticket, const Report& report, Instant now);

  // What the attempt in flight counts for against its limits: as reserved, or, where that is
  // known, by what it `used`. Nothing where there is none.
  Amounts AmountsOf(std::uint64_t ticket, const std::optional<Demand>& used) const;

  bool IsWaiting(std::uint64_t ticket) const;

  // When to call Next() and Expire() again at the latest, where nothing else happens before.
  Instant NextDeadline(Instant now) const;

  std::optional<Standing> StandingOf(std::uint64_t ticket, Instant now) const;
  std::vector<Standing> Waiting(Instant now) const;  // in order of position
  std::size_t waiting_count() const;

  // The candidates of a request as the last call of Next() or Enter() saw them.
  std::vector<Considered> Consider(const Ask& ask, Instant now) const;

  // Whether any key serves `model`, whatever its state.
  bool Serves(std::string_view model) const;
  bool IsAvailable(std::string_view model, Instant now) const;  // one could be sent now
  // That it is for; nullopt: neither the mapping nor a key says so.
  std::optional<Tier> TierOf(std::string_view model) const;

  // Estimated input tokens of a text of that many UTF-8 bytes (learned per model from answers).
  std::int64_t EstimateTokens(std::string_view model, std::int64_t bytes) const;
  void Learn(std::string_view model, std::int64_t bytes, std::int64_t tokens);

  // ---- operators
  std::vector<KeyStatus> Keys(Instant now) const;
  std::optional<KeyStatus> Key(std::string_view key_id, Instant now) const;
  // False: no such key.
  bool Reset(std::string_view key_id, bool counters, Instant now);
  bool SetEnabled(std::string_view key_id, bool enabled, Instant now);
  void SetHasSecret(std::string_view key_id, bool has_secret);

  // ---- restart: as the attempt log and the stored states say, before the first Enter. Attempts
  // fill the minute windows from `at` on, days the day counters (rolling ones from `at` on); what
  // is not configured is ignored.
  // `counted` is what they counted for together (see AmountsOf).
  void RestoreAttempts(std::string_view quota_group, std::string_view model, const Amounts& counted,
                       Instant at);
  // Attempts up to `at` are missing from the log: the minute windows count as full then.
  void RestoreFullWindows(Instant at, Instant now);
  void RestoreDay(std::string_view quota_group, std::string_view model, const Amounts& counted,
                  Instant at, Instant now);
  void RestoreHealth(const KnownHealth& known, Instant now);

  // What changed since the last call: `keys` to be told of, where a provider's breaker is among
  // them as "provider/NAME", and `health` to be persisted for RestoreHealth.
  struct Changed {
    std::vector<KeyStatus> keys;
    std::vector<KnownHealth> health;
  };
  Changed TakeChanged(Instant now);

  // For tests: aborts where an invariant does not hold.
  void SanityCheck(Instant now) const;

  class Impl;

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace requestrouter::policy
