#include "storage/writer.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>

#include "storage/tables.h"

namespace requestrouter::storage {
namespace {

// Writes in one transaction at most, so that the first of a flood is not kept waiting for the last.
constexpr std::size_t kGroup = 512;

// Groups after which the WAL is copied back even without a quiet moment.
constexpr std::int64_t kGroupsBetweenCheckpoints = 2'000;

// Quiet time before a checkpoint, and between probes of a database that failed.
constexpr std::chrono::milliseconds kQuiet{200};

Millis WallNow() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

Result<Written> Failed(const Error& error) { return tl::unexpected(error); }

void SyncFile(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return;
  fsync(fd);
  close(fd);
}

}  // namespace

Writer::Writer(Options options, std::unique_ptr<Database> database)
    : options_(std::move(options)), database_(std::move(database)) {
  thread_ = std::thread([this] { Run(); });
}

Writer::~Writer() { Stop(); }

void Writer::Stop() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void Writer::Submit(Write write, Durability durability, Store::Done<Written> done) {
  {
    const std::lock_guard lock(mutex_);
    jobs_.push_back({std::move(write), durability, std::move(done)});
  }
  wake_.notify_one();
}

void Writer::Run() {
  for (;;) {
    std::vector<Job> group;
    {
      std::unique_lock lock(mutex_);
      const auto ready = [this] { return stopping_ || !jobs_.empty(); };
      const bool restless = uncheckpointed_ > 0 || !healthy_;
      if (!restless) {
        wake_.wait(lock, ready);
      } else if (!wake_.wait_for(lock, kQuiet, ready)) {
        lock.unlock();
        CheckpointWhenDue(true);
        if (!healthy_) Probe();
        continue;
      }
      if (jobs_.empty()) return;
      const std::size_t count = std::min(jobs_.size(), kGroup);
      std::move(jobs_.begin(), jobs_.begin() + static_cast<std::ptrdiff_t>(count),
                std::back_inserter(group));
      jobs_.erase(jobs_.begin(), jobs_.begin() + static_cast<std::ptrdiff_t>(count));
    }
    Commit(group);
    CheckpointWhenDue(false);
  }
}

void Writer::Commit(std::vector<Job>& group) {
  std::vector<Result<Written>> results;
  try {
    CommitOrThrow(group, results);
    healthy_ = true;
    ++uncheckpointed_;
  } catch (const DatabaseError& error) {
    healthy_ = false;
    results.assign(group.size(), Failed(error.error()));
  }
  for (std::size_t i = 0; i < group.size(); ++i) group[i].done(std::move(results[i]));
}

void Writer::CommitOrThrow(std::vector<Job>& group, std::vector<Result<Written>>& results) {
  const bool sync = options_.durability == Durability::kFull &&
                    std::any_of(group.begin(), group.end(),
                                [](const Job& job) { return job.durability == Durability::kFull; });
  SetDurability(sync);
  Transaction transaction(*database_);
  std::vector<std::size_t> backups;  // cannot run inside a transaction
  for (const Job& job : group) {
    if (std::holds_alternative<Backup>(job.write)) {
      backups.push_back(results.size());
      results.emplace_back(Written{});
      continue;
    }
    Savepoint savepoint(*database_);
    try {
      results.emplace_back(Apply(job.write));
      savepoint.Keep();
    } catch (const DatabaseError& error) {
      // What is wrong with the request alone leaves the group as it is; the disk's troubles end it.
      if (error.error().code != ErrorCode::kNotFound) throw;
      results.emplace_back(Failed(error.error()));
    }
  }
  transaction.Commit();
  for (const std::size_t index : backups) {
    try {
      results[index] = ApplyBackup(std::get<Backup>(group[index].write));
    } catch (const DatabaseError& error) {
      results[index] = Failed(error.error());
    }
  }
}

Written Writer::Apply(const Write& write) {
  struct Visitor {
    Writer& self;
    Written operator()(const Finish& finish) { return self.ApplyFinish(finish); }
    Written operator()(const AttemptOpened& attempt) {
      OpenAttempt(*self.database_, attempt, self.options_.boot_id);
      return {};
    }
    Written operator()(const AttemptClosed& attempt) {
      CloseAttempt(*self.database_, attempt);
      return {};
    }
    Written operator()(const KeyState& state) {
      SaveKeyState(*self.database_, state);
      return {};
    }
    Written operator()(const ForgetQuotaCounts& request) {
      ForgetCounts(*self.database_, request);
      return {};
    }
    Written operator()(const TruncateConversation& request) {
      return Truncate(*self.database_, request);
    }
    Written operator()(const DeleteConversation& request) {
      return Delete(*self.database_, request);
    }
    Written operator()(const Sweep& sweep) {
      return SweepExpired(*self.database_, sweep, self.options_.most_results);
    }
    Written operator()(const Flush&) { return {}; }
    Written operator()(const Backup&) { return {}; }
  };
  return std::visit(Visitor{*this}, write);
}

Written Writer::ApplyFinish(const Finish& finish) {
  if (finish.attempt) CloseAttempt(*database_, *finish.attempt);
  const bool is_new = !finish.result || SaveResult(*database_, *finish.result, WallNow());
  if (finish.turn && is_new) AppendTurn(*database_, *finish.turn);
  for (const Usage& usage : finish.usage) AddUsage(*database_, usage);
  return {};
}

// VACUUM INTO reads one consistent state; the folder's umask does not apply to it, the process's
// does.
Written Writer::ApplyBackup(const Backup& backup) {
  if (backup.path.empty() || backup.path.front() != '/') {
    throw DatabaseError(ErrorCode::kNotFound,
                        "a backup needs an absolute path, is \"" + backup.path + '"');
  }
  if (std::filesystem::exists(backup.path)) {
    throw DatabaseError(ErrorCode::kReadOnly,
                        backup.path + " exists already; name a new file for the backup");
  }
  Statement copy = database_->Prepare("VACUUM INTO ?");
  copy.Bind(1, std::string_view(backup.path)).Run();
  chmod(backup.path.c_str(), 0600);
  SyncFile(backup.path);
  std::error_code ignored;
  return {static_cast<std::int64_t>(std::filesystem::file_size(backup.path, ignored)), 0};
}

// FULL syncs the WAL at every commit, NORMAL only at checkpoints: the journal of attempts is
// written but not synced, so that a turn costs one sync
// (https://sqlite.org/pragma.html#pragma_synchronous).
void Writer::SetDurability(bool sync) {
  if (sync == syncing_) return;
  database_->Execute(sync ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
  syncing_ = sync;
}

// By hand and in quiet moments, because SQLite's own checkpoints come in the middle of commits.
void Writer::CheckpointWhenDue(bool idle) {
  if (uncheckpointed_ == 0 || (!idle && uncheckpointed_ < kGroupsBetweenCheckpoints)) return;
  uncheckpointed_ = 0;
  const int mode = idle ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE;
  // Readers may be in the way; the next quiet moment comes.
  sqlite3_wal_checkpoint_v2(database_->handle(), nullptr, mode, nullptr, nullptr);
}

// Whether writing works again after it failed.
void Writer::Probe() {
  try {
    Transaction transaction(*database_);
    database_->Execute(
        "INSERT OR REPLACE INTO key_states VALUES ('', '', 0, '', '', 0);"
        "DELETE FROM key_states WHERE key_id = ''");
    transaction.Commit();
    healthy_ = true;
  } catch (const DatabaseError&) {
    // Still the same; the next probe comes.
  }
}

}  // namespace requestrouter::storage
