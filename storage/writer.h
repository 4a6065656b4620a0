#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "storage/apply.h"
#include "storage/attempt_log.h"
#include "storage/database.h"
#include "storage/directory_watch.h"
#include "storage/sqlite_store.h"
#include "storage/store.h"
#include "storage/sums.h"
#include "storage/write_queue.h"
#include "threads/role.h"

namespace requestrouter::storage {

// The storage thread: the only connection that writes. Writes what the queue gives it in one
// transaction and commits it once, so that a turn costs a share of one sync.
//
// After a failure it tries again by itself: README.md's table says what each trouble leads to.
class Writer {
 public:
  struct Options {
    std::string directory;
    std::string path;  // of the database, in the directory
    Durability durability = Durability::kFull;
    std::int64_t most_results = 100'000;
    // Called on the storage thread when the files had to be made anew: other connections must be
    // opened again.
    std::function<void()> on_reopened;
    std::function<void(const storage::Commit&)> on_commit;  // see SqliteOptions
  };

  // `database` is open and migrated; `attempts` is of this session and outlives the writer.
  Writer(Options options, std::unique_ptr<Database> database, AttemptLog& attempts);
  // Stops, then closes the database.
  ~Writer();
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  // Writes what waits and ends the thread; the database stays open, nothing may be submitted.
  void Stop();

  void Submit(Write write, Durability durability, Store::Done<Written> done) {  // any thread
    queue_.Submit(std::move(write), durability, std::move(done));
  }
  bool healthy() const { return healthy_; }  // any thread

 private:
  // Pages of the log (1 MB) after which it is copied back even without a quiet moment. Commits wait
  // for that: with 4,000 the 99th percentile of turns at 16 in flight was 23 ms, with 250 it is 7,
  // and a request costs less, because a long log is slower to read.
  static constexpr int kLogPages = 250;

  // Commits after which counters are added up even without a quiet moment: that costs as much as a
  // few commits.
  static constexpr int kPendingCommits = 100;

  using Job = WriteQueue::Job;
  using Results = std::vector<Result<Written>>;

  void Run();
  void Commit(std::vector<Job>& group) RR_REQUIRES(threads::kStorageThread);
  void CommitOrThrow(std::vector<Job>& group, Results& results)
      RR_REQUIRES(threads::kStorageThread);
  bool ApplyAll(const std::vector<Job>& group, Results& results)
      RR_REQUIRES(threads::kStorageThread);
  void ApplyEachAlone(const std::vector<Job>& group, Results& results)
      RR_REQUIRES(threads::kStorageThread);
  void CommitWithSums(const std::vector<Job>& group, Transaction& transaction, Sums& sums)
      RR_REQUIRES(threads::kStorageThread);
  Target TargetOf(Sums& sums) {
    return {*database_, attempts_, sums, options_.directory, options_.most_results};
  }
  void NoteFailure(const DatabaseError& error) RR_REQUIRES(threads::kStorageThread);

  // writer_upkeep.cc
  void AddUpWhenDue() RR_REQUIRES(threads::kStorageThread);
  void CheckpointWhenDue(bool idle) RR_REQUIRES(threads::kStorageThread);
  void RenewLogWhenDue() RR_REQUIRES(threads::kStorageThread);
  void Probe() RR_REQUIRES(threads::kStorageThread);
  void EndSessionOrLeaveIt() RR_REQUIRES(threads::kStorageThread);

  // writer_files.cc
  void EnsureFiles() RR_REQUIRES(threads::kStorageThread);
  void EnsureDatabase() RR_REQUIRES(threads::kStorageThread);
  void Rescue() RR_REQUIRES(threads::kStorageThread);
  void Reopen() RR_REQUIRES(threads::kStorageThread);
  void CheckpointFully() RR_REQUIRES(threads::kStorageThread);
  void SyncLog() RR_REQUIRES(threads::kStorageThread);

  const Options options_;
  std::unique_ptr<Database> database_;  // null where it could not be opened again
  AttemptLog& attempts_;
  DirectoryWatch watch_;
  bool may_have_moved_ = false;    // files of the directory, and not all were looked for since
  std::int64_t noted_generation_;  // of the log, in the database
  bool uncheckpointed_ = false;    // the log holds what the database does not
  int checkpoint_at_ = kLogPages;
  int pending_commits_ = 0;  // since counters were added up
  // A write or sync has failed: what was written before it may not have reached the disk, although
  // later syncs say so, until all of it has been written again to another place.
  bool suspect_ = false;
  std::atomic<bool> healthy_{true};

  WriteQueue queue_;
  std::thread thread_;
};

}  // namespace requestrouter::storage
