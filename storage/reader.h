#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "storage/database.h"
#include "threads/mutex.h"

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
  threads::Mutex mutex_;
  std::condition_variable wake_;
  std::deque<Query> queries_ RR_GUARDED_BY(mutex_);
  bool stopping_ RR_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace requestrouter::storage
