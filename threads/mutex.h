#pragma once

#include <condition_variable>
#include <mutex>
#include <utility>

#include "threads/annotations.h"

namespace requestrouter::threads {

// A std::mutex that clang's analysis knows: what is RR_GUARDED_BY it may be touched where a Lock of
// it is alive only.
class RR_CAPABILITY("mutex") Mutex {
 public:
  void lock() RR_ACQUIRE() { mutex_.lock(); }
  void unlock() RR_RELEASE() { mutex_.unlock(); }

 private:
  friend class Lock;
  std::mutex mutex_;
};

// Holds a Mutex while it lives; waits on a condition variable with it.
class RR_SCOPED_CAPABILITY Lock {
 public:
  explicit Lock(Mutex& mutex) RR_ACQUIRE(mutex) : lock_(mutex.mutex_) {}
  ~Lock() RR_RELEASE() = default;
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

  void unlock() RR_RELEASE() { lock_.unlock(); }
  void lock() RR_ACQUIRE() { lock_.lock(); }

  // `ready` is called with the mutex held.
  template <typename Ready>
  void Wait(std::condition_variable& changed, Ready ready) {
    changed.wait(lock_, std::move(ready));
  }
  // False: `patience` passed, and it still is not ready.
  template <typename Duration, typename Ready>
  bool WaitFor(std::condition_variable& changed, Duration patience, Ready ready) {
    return changed.wait_for(lock_, patience, std::move(ready));
  }

 private:
  std::unique_lock<std::mutex> lock_;
};

}  // namespace requestrouter::threads
