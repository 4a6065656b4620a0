#pragma once

#include <sys/types.h>

#include <string>

namespace requestrouter::router {

// The key of a name that is unique per uid only: a request's id, a conversation's.
inline std::string RequestKey(uid_t uid, const std::string& name) {
  return std::to_string(uid) + '/' + name;
}

}  // namespace requestrouter::router
