#include "storage/reader.h"

namespace requestrouter::storage {

Reader::Reader(const std::string& path) : database_(path, Database::Mode::kReadOnly) {
  thread_ = std::thread([this] { Run(); });
}

Reader::~Reader() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void Reader::Submit(Query query) {
  {
    const std::lock_guard lock(mutex_);
    queries_.push_back(std::move(query));
  }
  wake_.notify_one();
}

void Reader::Run() {
  for (;;) {
    Query query;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return stopping_ || !queries_.empty(); });
      if (queries_.empty()) return;
      query = std::move(queries_.front());
      queries_.pop_front();
    }
    query(database_);
  }
}

}  // namespace requestrouter::storage
