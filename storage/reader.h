#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "storage/database.h"

namespace requestrouter::storage {

// The reader thread: a connection that only reads, so that histories and listings do not wait for
// the disk to sync. Runs one query after the other.
class Reader {
 public:
  using Query = std::function<void(Database&)>;  // may throw nothing

  explicit Reader(const std::string& path);
  // Answers what waits.
  ~Reader();
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  void Submit(Query query);  // any thread

 private:
  void Run();
  Database database_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Query> queries_;  // guarded by mutex_
  bool stopping_ = false;      // guarded by mutex_
  std::thread thread_;
};

}  // namespace requestrouter::storage
