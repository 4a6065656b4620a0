#pragma once

#include <cstdint>
#include <string>

#include "storage/attempt_log.h"
#include "storage/database.h"
#include "storage/store.h"
#include "storage/sums.h"

namespace requestrouter::storage {

// What writes are applied to. Everything outlives the call.
struct Target {
  Database& database;
  const AttemptLog& attempts;
  Sums& sums;                    // to be written before the transaction is committed
  const std::string& directory;  // of the database
  std::int64_t most_results;
};

// Does what a write says, in the open transaction (a Restore makes its own). What is wrong with the
// write itself is the result, and may leave a part of it done unless it is kNotFound; the disk's
// troubles are thrown as DatabaseError. Storage thread.
Result<Written> Apply(const Write& write, const Target& target);

}  // namespace requestrouter::storage
