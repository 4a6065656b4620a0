#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <thread>

#include "threads/mutex.h"

namespace requestrouter {

// A thread for what may take long and must not hold up the router: secrets from commands and Vault
// and reading the configuration again, or look-ups in the user database. Runs one task after the
// other.
class Helper {
 public:
  // `name`: as ps -T shows it, at most 15 bytes.
  explicit Helper(const char* name);
  // Finishes the task that runs; those that wait are dropped.
  ~Helper();
  Helper(const Helper&) = delete;
  Helper& operator=(const Helper&) = delete;

  void Post(std::function<void()> task);  // any thread

 private:
  void Run();
  threads::Mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> tasks_ RR_GUARDED_BY(mutex_);
  bool stopping_ RR_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace requestrouter
