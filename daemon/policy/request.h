#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "daemon/policy/classifier.h"
#include "daemon/policy/token_rule.h"
#include "daemon/policy/types.h"

// What goes in and out of the dispatcher: requests, grants, refusals and reports of attempts.
namespace requestrouter::policy {

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
  std::optional<bool> allow_fallback;  // absent: as configured
  std::string key_id;                  // this key and no other; empty: any
  Demand demand;
  PriorityClass priority = PriorityClass::kNormal;
  Instant deadline;                         // of the request
  Instant wait_until;                       // of waiting for capacity; at most the deadline
  std::string preferred_key;                // the conversation's last one; may be empty
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
  kNoSuchModel,  // no key serves the wanted model and fallback is not allowed
  kNoKeys,       // keys serve it, but each is disabled or has no secret
  kTooLarge,     // can never fit; `limit` names what it exceeds
  kNoCapacity,   // none before wait_until; retry_after says when
  kCallerLimit,  // the caller's own limit; retry_after says when
  kQueueFull,
  kExpired,  // waited until wait_until
  kFault,    // the last attempt's fault is final, or retries ran out: see `fault`
};

// A request that will not be served; it has left the queue.
struct Refusal {
  std::uint64_t ticket = 0;
  RefusalReason reason = RefusalReason::kNoCapacity;
  std::string message;  // for people: names the limit, the key or the model
  std::string limit;    // with kTooLarge: rpm, tpm, itpm, ...
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

// How an attempt ended.
struct Report {
  Fault fault;                     // kind kNone: success
  std::optional<Demand> used;      // actual usage where known
  bool sent = true;                // false: nothing reached the provider, refund
  std::optional<Instant> sent_at;  // when it was on the wire
  bool may_retry = true;           // false once a delta has gone out
  RemainingQuota remaining;        // corrects the windows
  std::vector<LimitKind> spent;    // that the provider named when it refused
  bool conclusive = true;          // false: says nothing of the key, such as a cancelled attempt
};

}  // namespace requestrouter::policy
