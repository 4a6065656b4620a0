#pragma once

#include <memory>
#include <string>

#include "storage/store.h"

namespace requestrouter::storage {

struct SqliteOptions {
  std::string directory;  // made with mode 0700 where it is missing
  Durability durability = Durability::kFull;
  std::int64_t most_results = 100'000;
};

// Opens (or creates) requestrouter.db in the directory, for this process alone, and brings it to
// the present schema. The error names the file and the remedy.
Result<std::unique_ptr<Store>> OpenSqliteStore(const SqliteOptions& options);

}  // namespace requestrouter::storage
