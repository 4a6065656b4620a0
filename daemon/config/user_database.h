#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

// Questions to the system's user database (passwd, group and what nsswitch.conf adds). Any thread;
// may block on the network where the database lies there.
namespace requestrouter::config {

// nullopt: there is no such name.
std::optional<uid_t> UserId(const std::string& name);
std::optional<gid_t> GroupId(const std::string& name);

// nullopt: the database has no such uid.
std::optional<std::string> UserName(uid_t uid);

// The groups that the database gives a uid, `primary` and supplementary ones included. A process
// may hold other groups; those are not known from the socket.
std::vector<gid_t> GroupsOf(uid_t uid, gid_t primary);

}  // namespace requestrouter::config
