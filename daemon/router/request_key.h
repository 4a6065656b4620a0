#pragma once

#include <sys/types.h>

#include <string>

namespace requestrouter::router {

// The key of a name that is unique per uid only: a request's id, a conversation's.
inline std::string RequestKey(uid_t uid, const std::string& name) {
  constexpr std::size_t kDigits = 10;
  std::string key;
  key.reserve(kDigits + 1 + name.size());
  return key.append(std::to_string(uid)).append(1, '/').append(name);
}

}  // namespace requestrouter::router
