#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "daemon/ops/families.h"
#include "daemon/policy/status.h"
#include "storage/store.h"

namespace requestrouter::ops {

// How things stand at one instant, as values: taken on the router thread, made into metrics on
// another, so that a scrape does not hold up requests.
struct State {
  policy::Instant now;
  storage::Millis wall = 0;  // at `now`
  policy::Instant started;
  bool healthy = false;
  bool storage_healthy = false;
  std::size_t waiting = 0;
  std::size_t in_flight = 0;
  std::size_t unwritten = 0;
  std::uint64_t dropped_messages = 0;
  std::uint64_t lost_log_lines = 0;
  std::vector<policy::KeyStatus> keys;
};

// `size`: of the database; absent: it could not be asked.
Families ToFamilies(const State& state, const std::optional<storage::Size>& size);

}  // namespace requestrouter::ops
