#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <utility>

#include "storage/sqlite_store.h"
#include "tests/bench/storage/load.h"

namespace requestrouter::bench {
namespace {

// What the storage thread has finished, for the one thread that asks, as the daemon has it.
class Mailbox {
 public:
  void Post(std::size_t caller) {
    {
      const std::lock_guard lock(mutex_);
      finished_.push_back(caller);
    }
    wake_.notify_one();
  }
  std::vector<std::size_t> Take() {
    std::unique_lock lock(mutex_);
    wake_.wait(lock, [this] { return !finished_.empty(); });
    return std::exchange(finished_, {});
  }

 private:
  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<std::size_t> finished_;
};

struct Caller {
  Stopwatch::Clock::time_point asked;
};

class Load {
 public:
  Load(storage::Store& store, int callers)
      : store_(store), callers_(static_cast<std::size_t>(callers)) {}

  Measured Run(std::chrono::milliseconds length) {
    Stopwatch watch(length);
    for (std::size_t i = 0; i < callers_.size(); ++i) Begin(i);
    std::size_t busy = callers_.size();
    while (busy > 0) {
      for (const std::size_t i : mailbox_.Take()) {
        watch.Turn(callers_[i].asked);
        if (watch.running()) {
          Begin(i);
        } else {
          --busy;
        }
      }
    }
    return watch.Result();
  }

 private:
  void Begin(std::size_t i) {
    callers_[i] = {Stopwatch::Clock::now()};
    const std::int64_t number = ++last_number_;
    Check(store_.OpenAttempt(OpenedOf(number)));
    store_.Submit(std::make_shared<const storage::Finish>(FinishOf(number)),
                  storage::Durability::kFull,
                  [this, i](const storage::Result<storage::Written>& written) {
                    Check(written);
                    mailbox_.Post(i);
                  });
  }
  template <typename T>
  static void Check(const storage::Result<T>& done) {
    if (done) return;
    std::fprintf(stderr, "storage_bench: %s\n", done.error().message.c_str());
    std::abort();
  }

  storage::Store& store_;
  Mailbox mailbox_;
  std::vector<Caller> callers_;
  std::int64_t last_number_ = 0;
};

}  // namespace

Measured RunStore(const std::string& directory, storage::Durability durability, int callers,
                  std::chrono::milliseconds length) {
  storage::SqliteOptions options;
  options.directory = directory;
  options.durability = durability;
  const auto store = storage::OpenSqliteStore(options);
  if (!store) {
    std::fprintf(stderr, "storage_bench: %s\n", store.error().message.c_str());
    std::abort();
  }
  return Load(**store, callers).Run(length);
}

}  // namespace requestrouter::bench
