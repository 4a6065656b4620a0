#include "storage/writer.h"

#include <pthread.h>
#include <sqlite3.h>

#include <algorithm>
#include <chrono>

#include "storage/crash_point.h"
#include "storage/session.h"
#include "storage/tables.h"

namespace requestrouter::storage {
namespace {

// Writes in one transaction at most, so that the first of a flood is not kept waiting for the last.
constexpr std::size_t kGroup = 512;

// Quiet time before a checkpoint, and between probes of a database that failed.
constexpr std::chrono::milliseconds kQuiet{200};

Millis WallNow() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

Result<Written> Failed(const Error& error) { return tl::unexpected(error); }

bool IsRestore(const Write& write) { return std::holds_alternative<Restore>(write); }

bool HasTurn(const Write& write) {
  const auto* finish = std::get_if<Finish>(&write);
  return finish && finish->turn;
}

// What is wrong with the write itself, not with the disk.
bool IsOwnFault(ErrorCode code) {
  return code == ErrorCode::kNotFound || code == ErrorCode::kInvalid ||
         code == ErrorCode::kInternal;
}

}  // namespace

Writer::Writer(Options options, std::unique_ptr<Database> database)
    : options_(std::move(options)), database_(std::move(database)) {
  thread_ = std::thread([this] { Run(); });
  pthread_setname_np(thread_.native_handle(), "storage");
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
      const bool restless = uncheckpointed_ || !healthy_;
      if (!restless) {
        wake_.wait(lock, ready);
      } else if (!wake_.wait_for(lock, kQuiet, ready)) {
        lock.unlock();
        CheckpointWhenDue(true);
        if (!healthy_) Probe();
        continue;
      }
      if (jobs_.empty()) break;
      group = TakeGroup();
    }
    Commit(group);
    CheckpointWhenDue(false);
  }
  EndSessionOrLeaveIt();
}

// With mutex_ held. A restore is a group of its own, because it is a transaction of its own.
std::vector<Writer::Job> Writer::TakeGroup() {
  std::vector<Job> group;
  overtaking_ = !overtaking_;
  if (overtaking_) group = TakeOpenings();
  if (!group.empty()) return group;
  while (!jobs_.empty() && group.size() < kGroup) {
    const bool alone = IsRestore(jobs_.front().write);
    if (alone && !group.empty()) break;
    group.push_back(std::move(jobs_.front()));
    jobs_.pop_front();
    if (alone) break;
  }
  return group;
}

// Attempts are about to be sent and need no sync, so they do not wait for the sync of turns that
// were submitted before them: every other group is theirs alone. They depend on no earlier write
// but one that forgets counts, or restores. Nothing where only attempts wait, or none.
std::vector<Writer::Job> Writer::TakeOpenings() {
  const auto is_barrier = [](const Job& job) {
    return IsRestore(job.write) || std::holds_alternative<ForgetQuotaCounts>(job.write);
  };
  const auto end = std::find_if(jobs_.begin(), jobs_.end(), is_barrier);
  const auto openings = std::stable_partition(jobs_.begin(), end, [](const Job& job) {
    return !std::holds_alternative<AttemptOpened>(job.write);
  });
  std::vector<Job> group(std::make_move_iterator(openings), std::make_move_iterator(end));
  jobs_.erase(openings, end);
  return group;
}

void Writer::Commit(std::vector<Job>& group) {
  const auto began = std::chrono::steady_clock::now();
  Results results;
  try {
    EnsureFiles();
    CommitOrThrow(group, results);
    healthy_ = true;
    uncheckpointed_ = true;
  } catch (const DatabaseError& error) {
    healthy_ = false;
    suspect_ = suspect_ || error.error().code == ErrorCode::kIo;
    results.assign(group.size(), Failed(error.error()));
  }
  options_.on_commit({std::chrono::steady_clock::now() - began, group.size(), healthy_});
  for (std::size_t i = 0; i < group.size(); ++i) group[i].done(std::move(results[i]));
}

void Writer::CommitOrThrow(std::vector<Job>& group, Results& results) {
  const bool sync = options_.durability == Durability::kFull &&
                    std::any_of(group.begin(), group.end(),
                                [](const Job& job) { return job.durability == Durability::kFull; });
  SetDurability(sync);
  if (IsRestore(group.front().write)) return results.push_back(TryApply(group.front().write));
  if (ApplyAll(group, results)) return;
  results.clear();
  ApplyEachAlone(group, results);
}

// False: a write failed half-way, so nothing of the group was committed.
bool Writer::ApplyAll(const std::vector<Job>& group, Results& results) {
  bool has_turn = false;
  Transaction transaction(*database_);
  for (const Job& job : group) {
    results.push_back(TryApply(job.write));
    if (!results.back() && results.back().error().code != ErrorCode::kNotFound) return false;
    has_turn = has_turn || HasTurn(job.write);
  }
  if (has_turn) CrashPoint("committing");
  transaction.Commit();
  if (has_turn) CrashPoint("committed");
  return true;
}

// The same with a savepoint around each write, which would cost all others a twentieth.
void Writer::ApplyEachAlone(const std::vector<Job>& group, Results& results) {
  Transaction transaction(*database_);
  for (const Job& job : group) {
    Savepoint savepoint(*database_);
    results.push_back(TryApply(job.write));
    if (results.back()) savepoint.Keep();
  }
  transaction.Commit();
}

// What is wrong with one write leaves the others of its group as they are; the disk's troubles end
// the group.
Result<Written> Writer::TryApply(const Write& write) {
  try {
    return Apply(write);
  } catch (const DatabaseError& error) {
    if (!IsOwnFault(error.error().code)) throw;
    return Failed(error.error());
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
    Written operator()(const Restore& restore) {
      return RestoreBackup(*self.database_, restore, self.options_.directory);
    }
    Written operator()(const Flush&) { return {}; }
  };
  return std::visit(Visitor{*this}, write);
}

// A result that is there already says that the whole end was written before: a daemon writes it
// again where it could not know.
Written Writer::ApplyFinish(const Finish& finish) {
  if (finish.attempt) CloseAttempt(*database_, *finish.attempt);
  const std::string conv_id = finish.turn ? finish.turn->conv_id : "";
  if (finish.result && !SaveResult(*database_, *finish.result, conv_id, WallNow())) return {};
  if (finish.turn) AppendTurn(*database_, *finish.turn);
  for (const Usage& usage : finish.usage) AddUsage(*database_, usage);
  return {};
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
// Readers may be in the way of a part of it: then the next quiet moment comes, or as many pages
// more.
void Writer::CheckpointWhenDue(bool idle) {
  if (!database_ || !uncheckpointed_ || (!idle && database_->log_pages() < checkpoint_at_)) return;
  int pages = 0;
  int copied = 0;
  const int mode = idle ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE;
  const int code = sqlite3_wal_checkpoint_v2(database_->handle(), nullptr, mode, &pages, &copied);
  uncheckpointed_ = code != SQLITE_OK || copied < pages;
  checkpoint_at_ = kLogPages + (uncheckpointed_ ? database_->log_pages() : 0);
}

// Whether writing works again after it failed.
void Writer::Probe() {
  try {
    EnsureFiles();
    SetDurability(options_.durability == Durability::kFull);
    Transaction transaction(*database_);
    database_->Execute(
        "INSERT OR REPLACE INTO key_states VALUES ('', '', 0, '', '', 0);"
        "DELETE FROM key_states WHERE key_id = ''");
    transaction.Commit();
    healthy_ = true;
  } catch (const DatabaseError& error) {
    suspect_ = suspect_ || error.error().code == ErrorCode::kIo;
  }
}

void Writer::EndSessionOrLeaveIt() {
  try {
    EnsureFiles();
    SetDurability(true);
    EndSession(*database_);
  } catch (const DatabaseError&) {
    // The next daemon sees that this one could not close it, and checks.
  }
}

}  // namespace requestrouter::storage
