#include "daemon/router/access.h"

#include <unistd.h>

namespace requestrouter::router {

bool IsAdminByUid(const ipc::Peer& peer) { return peer.uid == 0 || peer.uid == geteuid(); }

bool IsAdmin(const ipc::Peer& peer, const User* user) {
  return IsAdminByUid(peer) || (user && user->in_admin_group);
}

}  // namespace requestrouter::router
