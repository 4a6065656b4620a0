#include "storage/reader.h"

#include <pthread.h>

namespace requestrouter::storage {

Reader::Reader(const std::string& path, const std::atomic<int>& opening, const char* name)
    : path_(path),
      opening_(opening),
      opened_(opening),
      database_(std::make_unique<Database>(path, Database::Mode::kReadOnly)) {
  thread_ = std::thread([this] { Run(); });
  pthread_setname_np(thread_.native_handle(), name);
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
    query(Connection());
  }
}

Result<Database*> Reader::Connection() {
  try {
    if (const int opening = opening_; opening != opened_) {
      database_.reset();
      opened_ = opening;
    }
    if (!database_) database_ = std::make_unique<Database>(path_, Database::Mode::kReadOnly);
    return database_.get();
  } catch (const DatabaseError& error) {
    return tl::unexpected(error.error());
  }
}

}  // namespace requestrouter::storage
