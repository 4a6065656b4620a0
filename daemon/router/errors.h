#pragma once

#include "daemon/policy/classifier.h"
#include "daemon/policy/dispatcher.h"
#include "daemon/upstream/client.h"
#include "ipc/error.h"
#include "storage/store.h"

// From the words of the boxes to those of the wire, and back. Pure.
namespace requestrouter::router {

// What policy's refusal is to the caller.
ipc::Error ToError(const policy::Refusal& refusal);

ipc::Error ToError(const storage::Error& error);

// What happened to an attempt as the classifier wants it. `wall_now_s`: seconds since the epoch.
policy::Evidence ToEvidence(const upstream::Outcome& outcome, std::int64_t wall_now_s);

}  // namespace requestrouter::router
