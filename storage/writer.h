#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "storage/attempt_log.h"
#include "storage/database.h"
#include "storage/sqlite_store.h"
#include "storage/store.h"
#include "storage/sums.h"

namespace requestrouter::storage {

// The storage thread: the only connection that writes. Takes everything that waits, writes it in
// one transaction and commits it once, so that a turn costs a share of one sync. What nobody waits
// for waits for company.
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

  void Submit(Write write, Durability durability, Store::Done<Written> done);  // any thread
  bool healthy() const { return healthy_; }                                    // any thread

 private:
  // Pages of the log (16 MB) after which it is copied back even without a quiet moment.
  static constexpr int kLogPages = 4'000;

  struct Job {
    Write write;
    Durability durability;
    Store::Done<Written> done;
    bool urgent;
  };
  using Results = std::vector<Result<Written>>;

  void Run();
  void AwaitCompany(std::unique_lock<std::mutex>& lock);
  std::vector<Job> TakeGroup();
  void Commit(std::vector<Job>& group);
  void CommitOrThrow(std::vector<Job>& group, Results& results);
  bool ApplyAll(const std::vector<Job>& group, Results& results);
  void ApplyEachAlone(const std::vector<Job>& group, Results& results);
  void CommitWithSums(Transaction& transaction, Sums& sums);
  Result<Written> TryApply(const Write& write, Sums& sums);
  Written Apply(const Write& write, Sums& sums);
  Written ApplyFinish(const Finish& finish, Sums& sums);
  void ApplyClosed(const AttemptClosed& attempt, Sums& sums);
  void SetDurability(bool sync);
  void CheckpointWhenDue(bool idle);
  void RenewLogWhenDue();
  void Probe();
  void EndSessionOrLeaveIt();

  // writer_files.cc
  void EnsureFiles();
  void Rescue();
  void Reopen();
  void CheckpointFully();
  void SyncLog();

  const Options options_;
  std::unique_ptr<Database> database_;  // null where it could not be opened again
  AttemptLog& attempts_;
  std::int64_t noted_generation_;  // of the log, in the database
  bool syncing_ = true;
  bool uncheckpointed_ = false;  // the log holds what the database does not
  int checkpoint_at_ = kLogPages;
  // A write or sync has failed: what was written before it may not have reached the disk, although
  // later syncs say so, until all of it has been written again to another place.
  bool suspect_ = false;
  std::atomic<bool> healthy_{true};

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Job> jobs_;    // guarded by mutex_
  std::size_t urgent_ = 0;  // of the jobs; guarded by mutex_
  bool stopping_ = false;   // guarded by mutex_
  std::thread thread_;
};

}  // namespace requestrouter::storage
