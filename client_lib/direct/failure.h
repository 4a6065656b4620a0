#pragma once

#include <cstdint>
#include <optional>

#include "daemon/upstream/attempt.h"
#include "requestrouter/error.h"

namespace requestrouter::direct {

// The error for an attempt that did not succeed, of the type that the daemon would give it;
// nullopt where it did. `wall_now_s`: seconds since the epoch. Pure.
std::optional<Error> FailureOf(const upstream::Outcome& outcome, std::int64_t wall_now_s);

}  // namespace requestrouter::direct
