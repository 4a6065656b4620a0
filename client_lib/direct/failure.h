#pragma once

#include <optional>

#include "daemon/upstream/client.h"
#include "requestrouter/error.h"

namespace requestrouter::direct {

// The wire's error for an attempt that did not succeed; nullopt where it did. Pure.
std::optional<Error> FailureOf(const upstream::Outcome& outcome);

}  // namespace requestrouter::direct
