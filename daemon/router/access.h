#pragma once

#include "daemon/router/users.h"
#include "ipc/socket.h"

// Who may do what, decided by the kernel's peer credentials alone. Pure.
namespace requestrouter::router {

// Root and the daemon's own user are administrators, whatever the user database says.
bool IsAdminByUid(const ipc::Peer& peer);

// They, and the members of the administrators' group. `user`: what is known of the peer; null:
// nothing.
bool IsAdmin(const ipc::Peer& peer, const User* user);

}  // namespace requestrouter::router
