#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "storage/attempt_log.h"
#include "storage/database.h"
#include "storage/store.h"

namespace requestrouter::storage {

// What the writes of one transaction add to counters: many count for the same key, model and
// caller, so that each sum is written once, before the commit. Storage thread only.
//
// What is added is not copied and lives until the sums are written or dropped.
class Sums {
 public:
  void Close(const AttemptLog::Opening& opening, const AttemptClosed& attempt) {
    ends_.push_back({&opening, attempt});
  }
  void Add(const Usage& usage) { usages_.push_back(&usage); }
  // Of one quota group: what was closed before this is not counted.
  void Forget(const std::string& quota_group);

  // To drop what was added after a mark.
  struct Mark {
    std::size_t ends = 0;
    std::size_t usages = 0;
  };
  Mark mark() const { return {ends_.size(), usages_.size()}; }
  void DropAfter(const Mark& mark);

  // Into the open transaction, as pending. Returns the attempts that are closed with it.
  std::vector<std::int64_t> WriteTo(Database& database);

 private:
  struct End {
    const AttemptLog::Opening* opening;
    AttemptClosed attempt;
  };
  void KeepFirstEnds();
  std::vector<std::int64_t> WriteEnds(Database& database);
  void WriteUsage(Database& database);

  std::vector<End> ends_;
  std::vector<const Usage*> usages_;
};

}  // namespace requestrouter::storage
