#pragma once

#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "tests/support/sim/json.h"
#include "tests/support/sim/reply.h"

namespace requestrouter::sim {

enum class FaultKind : std::uint8_t {
  // Nothing is said or billed: as if the provider had refused or never got it.
  kStatus,      // the provider's own error of `status`
  kHtml,        // a proxy's error page of `status`
  kRateLimit,   // a genuine 429 although there was room, for `limit` and `retry_after_ms`
  kInvalidKey,  // as for a key that does not exist
  kRevoke,      // the same, and from now on
  kNoCredit,    // the account cannot pay
  kHang,        // no byte
  kReset,       // RST instead of an answer
  // The answer is made and billed, and spoilt on its way.
  kResetMidBody,
  kTruncated,         // FIN in the middle
  kHangMidBody,       // silence in the middle
  kSlowDrip,          // sixteen bytes at a time, one each `pace_ms`
  kBadJson,           // half an object (streams: one such event in the middle)
  kEmpty,             // 200 without a body
  kWrongContentType,  // JSON called text/plain
  kGzip,              // compressed although nobody asked
  kErrorMidStream,    // streams: the provider's error event in the middle
};

// One misbehaviour, for the next `count` requests that match.
struct Fault {
  FaultKind kind = FaultKind::kStatus;
  int status = 503;
  std::int64_t count = 1;            // 0: until cleared
  std::string key, model, provider;  // empty: any
  double probability = 1;            // of each matching request
  Limit limit = Limit::kRpm;
  Millis retry_after{1000};
  Millis pace{5};
};

// From JSON: {"kind": "status", "status": 503, "count": 2, "match": {"key", "model", "provider"},
// "probability", "limit": "rpm", "retry_after_ms", "pace_ms"}; kinds as above in snake_case, and
// "status:503" for short. Fails with what is wrong.
tl::expected<Fault, std::string> ParseFault(const Json& json);

bool IsBeforeAnswer(FaultKind kind);
const char* NameOf(FaultKind kind);

// Spoils a finished answer (kinds that are not IsBeforeAnswer). `error_event`: see Dialect.
void Spoil(const Fault& fault, const std::string& error_event, Reply* reply);

// The faults that wait for a request. Chance is seeded: the same run, the same faults.
class Faults {
 public:
  void Add(Fault fault) { faults_.push_back(std::move(fault)); }
  void Clear() { faults_.clear(); }
  std::optional<Fault> Take(const std::string& key, const std::string& model,
                            const std::string& provider);

 private:
  std::vector<Fault> faults_;
  std::mt19937 random_{1};
};

}  // namespace requestrouter::sim
