#pragma once

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "tests/bench/router/bare_store.h"

namespace requestrouter::bench {

// Commits on a thread of its own: everything that came while the last commit was under way goes
// into the next.
class BareCommitter {
 public:
  explicit BareCommitter(const std::string& directory);

  // Readable when turns are committed.
  int fd() const { return event_; }

  void Submit(std::vector<BareTurn>* turns);  // takes them, and leaves it empty
  std::vector<BareTurn> TakeCommitted();

 private:
  void Run();

  BareStore store_;
  const int event_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<BareTurn> submitted_;
  std::vector<BareTurn> committed_;
  std::thread thread_;  // ends with the process
};

}  // namespace requestrouter::bench
