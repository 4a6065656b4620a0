#pragma once

#include "threads/annotations.h"

namespace requestrouter::threads {

// What one thread at a time is: the one that runs the router, that writes the database, … A
// function that RR_REQUIRES a role is for that thread only, and clang refuses a caller that is not
// known to be on it. Nothing at run time.
class RR_CAPABILITY("role") Role {};

// The thread's main function has its role while this lives.
class RR_SCOPED_CAPABILITY InRole {
 public:
  explicit InRole(const Role& role) RR_ACQUIRE(role) { static_cast<void>(role); }
  ~InRole() RR_RELEASE() {}
  InRole(const InRole&) = delete;
  InRole& operator=(const InRole&) = delete;
};

// This thread has the role from here on, to the end of the function: where nobody but it exists
// yet, as in a test.
inline void Assume(const Role& role) RR_ASSERT(role) { static_cast<void>(role); }

// The roles, as in README.md's table of threads.
inline constexpr Role kRouterThread;
inline constexpr Role kStorageThread;

}  // namespace requestrouter::threads
