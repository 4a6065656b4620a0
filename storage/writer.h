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

#include "storage/database.h"
#include "storage/store.h"

namespace requestrouter::storage {

// The storage thread: the only connection that writes. Takes everything that waits, writes it in
// one transaction and commits it once, so that a turn costs a share of one sync.
class Writer {
 public:
  struct Options {
    std::string path;
    Durability durability = Durability::kFull;
    std::string boot_id;
    std::int64_t most_results = 100'000;
  };

  // `database` is open and migrated.
  Writer(Options options, std::unique_ptr<Database> database);
  // Stops, then closes the database.
  ~Writer();
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  // Writes what waits and ends the thread; the database stays open, nothing may be submitted.
  void Stop();

  void Submit(Write write, Durability durability, Store::Done<Written> done);  // any thread
  bool healthy() const { return healthy_; }                                    // any thread

 private:
  struct Job {
    Write write;
    Durability durability;
    Store::Done<Written> done;
  };

  void Run();
  void Commit(std::vector<Job>& group);
  void CommitOrThrow(std::vector<Job>& group, std::vector<Result<Written>>& results);
  Written Apply(const Write& write);
  Written ApplyFinish(const Finish& finish);
  Written ApplyBackup(const Backup& backup);
  void SetDurability(bool sync);
  void CheckpointWhenDue(bool idle);
  void Probe();

  const Options options_;
  std::unique_ptr<Database> database_;
  bool syncing_ = true;
  std::int64_t uncheckpointed_ = 0;  // groups since the last checkpoint
  std::atomic<bool> healthy_{true};

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Job> jobs_;   // guarded by mutex_
  bool stopping_ = false;  // guarded by mutex_
  std::thread thread_;
};

}  // namespace requestrouter::storage
