#include "storage/reader.h"

#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#include <optional>

#include "threads/scheduling.h"

namespace requestrouter::storage {
namespace {

constexpr int kLeastPriority = 19;

}  // namespace

Reader::Reader(const std::string& path, const std::atomic<int>& opening, Kind kind,
               const char* name)
    : path_(path),
      opening_(opening),
      kind_(kind),
      opened_(opening),
      database_(std::make_unique<Database>(path, Database::Mode::kReadOnly)) {
  thread_ = std::thread([this] { Run(); });
  pthread_setname_np(thread_.native_handle(), name);
}

Reader::~Reader() {
  {
    const threads::Lock lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void Reader::Submit(Query query) {
  {
    const threads::Lock lock(mutex_);
    queries_.push_back(std::move(query));
  }
  wake_.notify_one();
}

void Reader::Run() {
  threads::ServeTheRouter();
  // A thread of its own as far as Linux's scheduler is concerned; see sched(7).
  if (kind_ == Kind::kSlow) setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), kLeastPriority);
  for (;;) {
    std::deque<Query> queries;
    {
      threads::Lock lock(mutex_);
      lock.Wait(wake_, [this]() RR_REQUIRES(mutex_) { return stopping_ || !queries_.empty(); });
      if (queries_.empty()) return;
      queries.swap(queries_);
    }
    Answer(queries);
  }
}

// The state that is read is that of now, after the queries were asked.
void Reader::Answer(std::deque<Query>& queries) {
  if (kind_ == Kind::kSlow) {
    for (Query& query : queries) query(Connection());
    return;
  }
  Result<Database*> database = Connection();
  std::optional<ReadTransaction> together;
  try {
    if (database) together.emplace(**database);
  } catch (const DatabaseError& error) {
    database = tl::unexpected(error.error());
  }
  for (Query& query : queries) query(database);
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
