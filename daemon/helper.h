#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace requestrouter {

// The thread for what may take long and must not hold up the router: secrets from commands and
// Vault, reading the configuration again. Runs one task after the other.
class Helper {
 public:
  Helper();
  // Finishes the task that runs; those that wait are dropped.
  ~Helper();
  Helper(const Helper&) = delete;
  Helper& operator=(const Helper&) = delete;

  void Post(std::function<void()> task);  // any thread

 private:
  void Run();
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> tasks_;  // guarded by mutex_
  bool stopping_ = false;                    // guarded by mutex_
  std::thread thread_;
};

}  // namespace requestrouter
