#pragma once

#include <sys/types.h>

#include <vector>

namespace requestrouter::router {

// The groups that the user database gives a uid, `primary` and supplementary ones included. A
// process may hold other groups; those are not known from the socket.
std::vector<gid_t> GroupsOf(uid_t uid, gid_t primary);

}  // namespace requestrouter::router
