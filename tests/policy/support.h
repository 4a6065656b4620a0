#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "daemon/policy/dispatcher.h"

// A host with a few keys and a clock that moves when told to.
namespace requestrouter::policy {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

inline const Instant kStart{hours(1000)};

inline LimitSet Rpm(std::int64_t rpm) {
  LimitSet limits;
  limits.rpm = Limit{rpm};
  limits.guard = {};
  return limits;
}

inline LimitSet Tpm(std::int64_t tpm) {
  LimitSet limits;
  limits.tpm = Limit{tpm};
  limits.guard = {};
  return limits;
}

inline KeySpec KeyFor(std::string key_id, std::string model, LimitSet limits) {
  KeySpec key;
  key.key_id = key_id;
  key.provider = "gemini";
  key.quota_group = key_id;
  key.models = {{std::move(model), std::move(limits)}};
  return key;
}

inline Config ConfigOf(std::vector<KeySpec> keys) {
  Config config;
  config.keys = std::move(keys);
  config.retry.jitter = 0;
  return config;
}

inline Fault FaultOf(FaultKind kind, std::optional<Duration> retry_after = {}, int status = 0) {
  Fault fault;
  fault.kind = kind;
  fault.reason = "test";
  fault.source = "test";
  fault.message = "as told";
  fault.retry_after = retry_after;
  fault.status = status;
  return fault;
}

class Host {
 public:
  explicit Host(Config config, std::uint64_t seed = 1) : dispatcher(std::move(config), seed) {}

  Ask AskFor(std::string model, std::int64_t input_tokens = 0) {
    Ask ask;
    ask.ticket = ++last_ticket;
    ask.uid = 1000;
    ask.pid = 1;
    ask.model = std::move(model);
    ask.allow_fallback = false;
    ask.demand.input_tokens = input_tokens;
    ask.deadline = now + hours(1);
    ask.wait_until = ask.deadline;
    return ask;
  }

  // Both check the invariants after the step.
  std::optional<Refusal> Enter(const Ask& ask) {
    auto refusal = dispatcher.Enter(ask, now);
    dispatcher.SanityCheck(now);
    return refusal;
  }
  std::optional<Grant> Next() {
    auto grant = dispatcher.Next(now);
    dispatcher.SanityCheck(now);
    return grant;
  }
  std::optional<Refusal> Finish(std::uint64_t ticket, const Fault& fault = {},
                                std::optional<Demand> used = {}) {
    Report report;
    report.fault = fault;
    report.used = used;
    auto refusal = dispatcher.Finished(ticket, report, now);
    dispatcher.SanityCheck(now);
    return refusal;
  }

  // Enters a request for `model` and returns the key it was sent to; "" where it has to wait.
  std::string Send(const std::string& model, std::int64_t input_tokens = 0) {
    Enter(AskFor(model, input_tokens));
    const auto grant = Next();
    return grant ? grant->key_id : "";
  }
  // The key to which a request would be sent now, leaving no trace of it but its quota.
  std::string SendAndSucceed(const std::string& model, std::int64_t input_tokens = 0) {
    const std::string key = Send(model, input_tokens);
    if (key.empty()) {
      dispatcher.Leave(last_ticket, now);
    } else {
      Finish(last_ticket);
    }
    return key;
  }

  void Pass(Duration time) { now += time; }

  Dispatcher dispatcher;
  Instant now = kStart;
  std::uint64_t last_ticket = 0;
};

}  // namespace requestrouter::policy
