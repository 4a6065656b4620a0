#pragma once

#include <string>

namespace requestrouter::client {

// 128 bits from the kernel in lower-case hexadecimal: unique between processes, hosts and restarts,
// which an idempotency key has to be. Aborts if the kernel has no randomness to give.
std::string NewRequestId();

}  // namespace requestrouter::client
