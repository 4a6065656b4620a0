#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "daemon/policy/classifier.h"
#include "daemon/policy/types.h"

// The front of policy: requests go in, grants (a request, a key, a model and a reservation) come
// out, and reports of attempts decide what happens next. Owns the limits, the key pool, the
// cooldowns, the caller limits and the queue.
namespace requestrouter::policy {

// ---- configuration

struct KeyModel {
  std::string name;
  LimitSet limits;
};

struct KeySpec {
  std::string key_id;
  std::string provider;
  std::string quota_group;  // equal to key_id where the key has a quota of its own
  std::vector<KeyModel> models;
  std::string workload;     // light | medium | heavy, or empty
  int priority = 2;         // lower first
  bool active = true;
  bool has_secret = true;
};

struct RetryPolicy {
  int max_retries = 3;  // rounds after the first
  Duration base = std::chrono::milliseconds(500);
  double jitter = 0.25;
  Duration cap = std::chrono::seconds(30);
};

// A bucket of `per_minute` requests a minute that holds at most `burst`.
struct BucketSpec {
  std::int64_t per_minute = 0;
  std::int64_t burst = 0;
};

struct Config {
  std::vector<KeySpec> keys;
  std::vector<std::string> light_models, medium_models, heavy_models;
  std::int64_t auto_medium_tokens = 4'000;   // from this estimated size `auto` means medium
  std::int64_t auto_heavy_tokens = 32'000;   // from this, heavy
  bool enable_fallback = true;
  Duration fallback_saves = std::chrono::seconds(5);  // the least a fallback must save to be used
  std::size_t max_waiting = 10'000;
  RetryPolicy retry;
  std::optional<BucketSpec> user_limit;  // per (uid, user_id), of requests with a user_id
  std::optional<BucketSpec> host_limit;  // all requests
};

// ---- requests

enum class Tier : std::uint8_t { kLight, kMedium, kHeavy, kAuto };
enum class PriorityClass : std::uint8_t { kInteractive, kNormal, kBatch };

// A request that wants to be sent. `ticket` is the caller's own number for it.
struct Ask {
  std::uint64_t ticket = 0;
  std::uint32_t uid = 0;
  std::int32_t pid = 0;
  std::string agent;
  std::string user_id;
  std::string model;  // wanted; empty: by tier
  Tier tier = Tier::kAuto;
  bool allow_fallback = true;
  Demand demand;
  PriorityClass priority = PriorityClass::kNormal;
  Instant deadline;    // of the request
  Instant wait_until;  // of waiting for capacity; at most the deadline
  std::string preferred_key;  // the conversation's last one; may be empty
  std::vector<std::string> capable_models;  // not empty: only these may answer
};

// Send this now. The reservation has been made.
struct Grant {
  std::uint64_t ticket = 0;
  std::int64_t attempt = 0;  // number of the attempt within the request, from 1
  std::string key_id;
  std::string quota_group;
  std::string provider;
  std::string model;
  bool fallback = false;  // another model than the one asked for
  Demand reserved;
  Duration waited{};  // since Enter or since the last attempt ended
};

enum class RefusalReason : std::uint8_t {
  kNoSuchModel,   // no key serves the wanted model and fallback is not allowed
  kNoKeys,        // keys serve it, but each is disabled or has no secret
  kTooLarge,      // can never fit; `limit` names what it exceeds
  kNoCapacity,    // none before wait_until; retry_after says when
  kCallerLimit,   // the caller's own limit; retry_after says when
  kQueueFull,
  kExpired,       // waited until wait_until
  kFault,         // the last attempt's fault is final, or retries ran out: see `fault`
};

// A request that will not be served; it has left the queue.
struct Refusal {
  std::uint64_t ticket = 0;
  RefusalReason reason = RefusalReason::kNoCapacity;
  std::string message;  // for people: names the limit, the key or the model
  std::optional<Duration> retry_after;
  std::optional<Fault> fault;
  bool past_deadline = false;  // the deadline itself, not only max_wait, has passed
};

// Where a waiting request stands.
struct Standing {
  std::uint64_t ticket = 0;
  std::size_t position = 0;  // 1: next
  std::optional<Duration> eta;
  Duration waited{};
};

// ---- reports

// How an attempt ended.
struct Report {
  Fault fault;                        // kind kNone: success
  std::optional<Demand> used;         // actual usage where known
  bool sent = true;                   // false: nothing reached the provider, refund
  std::optional<Instant> sent_at;     // when it was on the wire
  bool may_retry = true;              // false once a delta has gone out
  RemainingQuota remaining;           // corrects the windows
};

// ---- what operators see

enum class KeyStateName : std::uint8_t { kReady, kCooling, kTrial, kDisabled, kNoSecret };

struct Cooldown {
  Instant until{};
  std::string reason;
  std::string source;
  std::int64_t strikes = 0;
};

struct Gauge {
  std::int64_t used = 0;
  std::int64_t limit = 0;
  std::optional<Instant> resets_at;  // day limits
};

struct ModelUsage {
  std::string model;
  std::optional<Gauge> rpm, tpm, itpm, otpm, rpd, tpd;
};

struct KeyStatus {
  std::string key_id;
  KeyStateName state = KeyStateName::kReady;
  std::optional<Cooldown> cooldown;
  std::vector<ModelUsage> usage;
  std::int64_t in_flight = 0;
  std::string last_error;  // the last fault's message; empty: none
};

// Why a key was or was not chosen, at the time of asking.
struct Considered {
  std::string key_id;
  std::string model;
  std::string verdict;  // "chosen", "cooling", "rpm", "tpm", "disabled", "no_secret", ...
  std::optional<Instant> until;
};

class Dispatcher {
 public:
  Dispatcher(Config config, std::uint64_t seed);
  ~Dispatcher();
  Dispatcher(const Dispatcher&) = delete;
  Dispatcher& operator=(const Dispatcher&) = delete;

  // Reload: keys that stay keep windows, day counts, cooldowns and reservations.
  void Configure(Config config, Instant now);

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

  // ---- restart: as the journal and the stored states say, before the first Enter
  void RestoreAttempt(std::string_view quota_group, std::string_view model, const Demand& demand,
                      Instant at);
  void RestoreDay(std::string_view quota_group, std::string_view model, std::int64_t requests,
                  const Demand& tokens, Instant now);
  void RestoreKey(std::string_view key_id, KeyStateName state, const Cooldown& cooldown,
                  Instant now);
  // The keys whose state changed since the last call: to be persisted.
  std::vector<KeyStatus> TakeChanged(Instant now);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace requestrouter::policy
