#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <optional>
#include <vector>

#include "storage/store.h"
#include "threads/mutex.h"
#include "threads/role.h"

namespace requestrouter::storage {

// What waits to be written, and what of it is written together. What nobody waits for waits for
// company.
class WriteQueue {
 public:
  struct Job {
    Write write;
    Durability durability;
    Store::Done<Written> done;
    bool urgent;
  };

  void Submit(Write write, Durability durability, Store::Done<Written> done);  // any thread
  // Take gives what waits; nothing may be submitted. Any thread.
  void Stop();

  // Whether nothing waits now. Any thread.
  bool empty() const;

  // Waits for writes, and gives those that are written in one transaction, in their order. Empty:
  // none came within `patience` (absent: as long as it takes). nullopt: stopped, and none is left.
  std::optional<std::vector<Job>> Take(std::optional<std::chrono::milliseconds> patience)
      RR_REQUIRES(threads::kStorageThread);

 private:
  void AwaitCompany(threads::Lock& lock) RR_REQUIRES(mutex_);
  std::vector<Job> TakeGroup() RR_REQUIRES(mutex_);

  mutable threads::Mutex mutex_;
  std::condition_variable wake_;
  std::deque<Job> jobs_ RR_GUARDED_BY(mutex_);
  std::size_t urgent_ RR_GUARDED_BY(mutex_) = 0;  // of the jobs
  bool stopping_ RR_GUARDED_BY(mutex_) = false;
};

}  // namespace requestrouter::storage
