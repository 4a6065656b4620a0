#pragma once

#include <cstdio>
#include <cstdlib>

namespace requestrouter::policy {

// A broken invariant ends the process: the service restarts and carries on from durable state,
// which is safer than sending requests on wrong counts. `what` names the invariant.
inline void Require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "policy: broken invariant: %s\n", what);
  std::abort();
}

}  // namespace requestrouter::policy
