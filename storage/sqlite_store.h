#pragma once

#include <memory>
#include <string>

#include "storage/store.h"

namespace requestrouter::storage {

struct SqliteOptions {
  std::string directory;  // made with mode 0700 where it is missing
  Durability durability = Durability::kFull;
  std::int64_t most_results = 100'000;
  Millis unknown_for = 10 * 60'000;  // how long an unknown outcome is remembered
  Millis now = 0;                    // wall time of the opening
};

// Opens (or creates) requestrouter.db in the directory, for this process alone, and brings it to
// the present schema. The error names the file and the remedy. What happens when the disk or the
// files fail later: README.md beside this.
Result<std::unique_ptr<Store>> OpenSqliteStore(const SqliteOptions& options);

}  // namespace requestrouter::storage
