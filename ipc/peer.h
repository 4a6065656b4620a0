#pragma once

#include <optional>
#include <string_view>

#include "ipc/socket.h"

namespace requestrouter::ipc {

// Reads libzmq's `Peer-Address` of an ipc connection, "localhost:UID:GID:PID", from the right: what
// stands in front of the credentials is not fixed. nullopt where they are not all there.
std::optional<Peer> ParsePeerAddress(std::string_view address);

}  // namespace requestrouter::ipc
