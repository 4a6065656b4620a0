#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "storage/database.h"

namespace requestrouter::storage {

// A thread with a connection that only reads, so that what reads does not wait for the disk to
// sync. Runs one query after the other.
class Reader {
 public:
  enum class Kind : std::uint8_t {
    kQuick,  // all queries that wait see one state
    kSlow,   // each by itself, after everything else that wants the processor
  };

  // Gets the connection, or why there is none; may throw nothing.
  using Query = std::function<void(Result<Database*>)>;

  // `opening` outlives the reader; where its number changes, the files are others, and are opened
  // again before the next query. `name`: of the thread, for ps and debuggers.
  Reader(const std::string& path, const std::atomic<int>& opening, Kind kind, const char* name);
  // Answers what waits.
  ~Reader();
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  void Submit(Query query);  // any thread

 private:
  void Run();
  void Answer(std::deque<Query>& queries);
  Result<Database*> Connection();

  const std::string path_;
  const std::atomic<int>& opening_;
  const Kind kind_;
  int opened_;                          // the number at which database_ was opened
  std::unique_ptr<Database> database_;  // null where it could not be opened again
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Query> queries_;  // guarded by mutex_
  bool stopping_ = false;      // guarded by mutex_
  std::thread thread_;
};

}  // namespace requestrouter::storage
