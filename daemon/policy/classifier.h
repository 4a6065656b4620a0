#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "daemon/policy/types.h"

namespace requestrouter::policy {

// Who is to blame for a failed attempt, which decides what is done about it.
enum class FaultKind : std::uint8_t {
  kNone,
  kRequest,     // the request itself; never touches a key's health
  kContent,     // the provider's safety filter; likewise
  kModel,       // the key does not serve this model
  kKeyInvalid,  // disabled until reload or reset
  kBilling,     // no credit
  kMinuteQuota,
  kDayQuota,
  kProvider,  // 5xx, overload, unreadable bodies
  kNetwork,
};

inline constexpr std::size_t kFaultKinds = 10;

// "minute_quota", "network", …; "ok" where there is none. For metrics and logs.
const char* Name(FaultKind kind);

struct Fault {
  FaultKind kind = FaultKind::kNone;
  std::string reason;   // short and stable, for cooldowns and metrics: "429 rate_limit_error"
  std::string source;   // what told: "retry-after header", "RetryInfo", "default"
  std::string message;  // the provider's words, bounded
  std::optional<Duration> retry_after;
  int status = 0;
};

// What providers say in headers of what is left, to correct the local windows.
struct RemainingQuota {
  std::optional<std::int64_t> requests, tokens, input_tokens, output_tokens;
};

enum class TransportResult : std::uint8_t { kOk, kNotSent, kInterrupted, kTimeout, kUnreadable };

// The raw facts of an ended attempt, gathered by the caller from the HTTP exchange.
struct Evidence {
  TransportResult transport = TransportResult::kOk;
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
  bool readable = false;  // the error body was the provider's own JSON shape
  std::string code, type, message;
  std::vector<std::string> reasons, quota_ids;
  std::optional<Duration> retry_delay;  // from the body
  bool blocked = false;                 // a safety block without content
  std::int64_t wall_now_s = 0;          // for HTTP dates in Retry-After: seconds since the epoch
};

// Table-driven and total: every evidence has a fault. Body codes come before the status.
Fault Classify(const Evidence& evidence);

RemainingQuota ReadRemaining(const std::vector<std::pair<std::string, std::string>>& headers);

}  // namespace requestrouter::policy
