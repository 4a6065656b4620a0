#pragma once

#include <cstdint>
#include <string>

#include "daemon/policy/classifier.h"
#include "daemon/upstream/attempt.h"
#include "ipc/error.h"

// What a failed attempt means: to policy, which judges it, and to the caller, who is told. The
// daemon and the client's direct mode share it, so that an error is the same in both. Pure.
namespace requestrouter::faults {

// What happened to an attempt as the classifier wants it. `wall_now_s`: seconds since the epoch.
policy::Evidence ToEvidence(const upstream::Outcome& outcome, std::int64_t wall_now_s);

// Whose fault the outcome of an attempt is; a prompt that cannot be expressed to the provider, so
// that nothing was sent, is the request's. `wall_now_s` as above.
policy::Fault FaultOf(const upstream::Outcome& outcome, std::int64_t wall_now_s);

// The wire's type of a fault; kInternalError for kNone.
ipc::ErrorType TypeOf(policy::FaultKind kind);

// The message of an error of this type, from the words of who refused. Existing agents escalate to
// a bigger model when an error says "safety", so content_blocked always says it and nothing else
// does (PROTOCOL.md): a provider that uses the word otherwise is paraphrased.
std::string MessageOf(ipc::ErrorType type, std::string words);

}  // namespace requestrouter::faults
