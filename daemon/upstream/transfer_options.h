#pragma once

#include <chrono>
#include <cstddef>
#include <functional>

#include "daemon/upstream/attempt.h"

namespace requestrouter::upstream {

class Dialect;
using DialectLookup = std::function<const Dialect&(ProviderKind)>;

struct TransferOptions {
  // Attempts, and so connections, at a time; further ones wait for their turn in the order of
  // Send(), while their time-out runs. 0: what the limit of descriptors allows (RLIMIT_NOFILE).
  std::size_t max_connections = 0;
  // Of one response, after decompression.
  std::size_t max_body_bytes = 64u << 20;
  // How long a stream may stay open once its answer is complete; then the answer counts.
  std::chrono::milliseconds linger{5'000};
  DialectLookup dialect;  // empty: DialectOf()
};

}  // namespace requestrouter::upstream
