#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "storage/store.h"

namespace requestrouter::storage {

// What the storage thread did at once: one transaction, or the attempt at one.
struct Commit {
  std::chrono::steady_clock::duration
      took{};  // until it was written, and synced where it had to be
  std::size_t writes = 0;
  bool worked = true;  // false: the disk or the database refused all of it
};

struct SqliteOptions {
  std::string directory;  // made with mode 0700 where it is missing
  Durability durability = Durability::kFull;
  std::int64_t most_results = 100'000;
  Millis unknown_for = 10 * 60'000;  // how long an unknown outcome is remembered
  Millis now = 0;                    // wall time of the opening
  // Called on the storage thread after every commit; must not block or throw.
  std::function<void(const Commit&)> on_commit = [](const Commit&) {};
};

// Opens (or creates) requestrouter.db in the directory, for this process alone, and brings it to
// the present schema. The error names the file and the remedy. What happens when the disk or the
// files fail later: README.md beside this.
Result<std::unique_ptr<Store>> OpenSqliteStore(const SqliteOptions& options);

}  // namespace requestrouter::storage
