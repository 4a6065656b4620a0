#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "requestrouter/client.h"

// When a chat that routerd was asked first goes to the provider itself.
namespace requestrouter::direct {

// Said in `warnings` of such an answer.
inline constexpr const char* kFallbackWarning =
    "no daemon answered: the provider was called directly, and the daemon does not have this turn";

// How a chat goes on after `error`: the time it has left at the provider; nullopt: it failed.
// `may_be_resent`: its on_unknown is not "fail", so it may be sent although the daemon may have
// done so.
std::optional<std::chrono::milliseconds> TimeForDirect(
    const Error& error, bool may_be_resent, std::chrono::steady_clock::time_point deadline);

}  // namespace requestrouter::direct
