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

// How long ends of requests that nobody waits for may wait for others to be written with: on a busy
// core each would else be a transaction of its own.
constexpr std::chrono::milliseconds kCompany{5};

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
  const auto* finish = std::get_if<std::shared_ptr<const Finish>>(&write);
  return finish && (*finish)->turn;
}

// Whether somebody waits for it, or it should be known soon should the process end.
bool IsUrgent(const Write& write, Durability durability) {
  const bool is_end = std::holds_alternative<std::shared_ptr<const Finish>>(write);
  return !is_end || durability == Durability::kFull;
}

// What is wrong with the write itself, not with the disk.
bool IsOwnFault(ErrorCode code) {
  return code == ErrorCode::kNotFound || code == ErrorCode::kInvalid ||
         code == ErrorCode::kInternal;
}

}  // namespace

Writer::Writer(Options options, std::unique_ptr<Database> database, AttemptLog& attempts)
    : options_(std::move(options)),
      database_(std::move(database)),
      attempts_(attempts),
      noted_generation_(attempts.generation()) {
  thread_ = std::thread([this] { Run(); });
  pthread_setname_np(thread_.native_handle(), "storage");
}

Writer::~Writer() { Stop(); }

void Writer::Stop() {
  if (!thread_.joinable()) return;
  {
    const threads::Lock lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void Writer::Submit(Write write, Durability durability, Store::Done<Written> done) {
  const bool urgent = IsUrgent(write, durability);
  bool wake = false;
  {
    const threads::Lock lock(mutex_);
    wake = urgent || jobs_.empty() || jobs_.size() + 1 == kGroup;
    jobs_.push_back({std::move(write), durability, std::move(done), urgent});
    urgent_ += urgent ? 1 : 0;
  }
  if (wake) wake_.notify_one();
}

void Writer::Run() {
  const threads::InRole here(threads::kStorageThread);
  for (;;) {
    std::vector<Job> group;
    {
      threads::Lock lock(mutex_);
      const auto ready = [this]() RR_REQUIRES(mutex_) { return stopping_ || !jobs_.empty(); };
      const bool restless = uncheckpointed_ || !healthy_ || attempts_.failed();
      if (!restless) {
        lock.Wait(wake_, ready);
      } else if (!lock.WaitFor(wake_, kQuiet, ready)) {
        lock.unlock();
        CheckpointWhenDue(true);
        if (!healthy_) Probe();
        RenewLogWhenDue();
        continue;
      }
      if (jobs_.empty()) break;
      AwaitCompany(lock);
      group = TakeGroup();
    }
    Commit(group);
    RenewLogWhenDue();
    CheckpointWhenDue(false);
  }
  EndSessionOrLeaveIt();
}

void Writer::AwaitCompany(threads::Lock& lock) {
  lock.WaitFor(wake_, kCompany, [this]() RR_REQUIRES(mutex_) {
    return stopping_ || urgent_ > 0 || jobs_.size() >= kGroup;
  });
}

// A restore is a group of its own, because it is a transaction of its own.
std::vector<Writer::Job> Writer::TakeGroup() {
  std::vector<Job> group;
  while (!jobs_.empty() && group.size() < kGroup) {
    const bool alone = IsRestore(jobs_.front().write);
    if (alone && !group.empty()) break;
    urgent_ -= jobs_.front().urgent ? 1 : 0;
    group.push_back(std::move(jobs_.front()));
    jobs_.pop_front();
    if (alone) break;
  }
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
  if (IsRestore(group.front().write)) {
    Sums none;
    return results.push_back(TryApply(group.front().write, none));
  }
  if (ApplyAll(group, results)) return;
  results.clear();
  ApplyEachAlone(group, results);
}

// False: a write failed half-way, so nothing of the group was committed.
bool Writer::ApplyAll(const std::vector<Job>& group, Results& results) {
  bool has_turn = false;
  Sums sums;
  Transaction transaction(*database_);
  for (const Job& job : group) {
    results.push_back(TryApply(job.write, sums));
    if (!results.back() && results.back().error().code != ErrorCode::kNotFound) return false;
    has_turn = has_turn || HasTurn(job.write);
  }
  if (has_turn) CrashPoint("committing");
  CommitWithSums(transaction, sums);
  if (has_turn) CrashPoint("committed");
  return true;
}

// The same with a savepoint around each write, which would cost all others a twentieth.
void Writer::ApplyEachAlone(const std::vector<Job>& group, Results& results) {
  Sums sums;
  Transaction transaction(*database_);
  for (const Job& job : group) {
    const Sums::Mark before = sums.mark();
    Savepoint savepoint(*database_);
    results.push_back(TryApply(job.write, sums));
    if (results.back()) {
      savepoint.Keep();
    } else {
      sums.DropAfter(before);
    }
  }
  CommitWithSums(transaction, sums);
}

void Writer::CommitWithSums(Transaction& transaction, Sums& sums) {
  const std::vector<std::int64_t> closed = sums.WriteTo(*database_);
  transaction.Commit();
  attempts_.Close(closed);
}

// What is wrong with one write leaves the others of its group as they are; the disk's troubles end
// the group.
Result<Written> Writer::TryApply(const Write& write, Sums& sums) {
  try {
    return Apply(write, sums);
  } catch (const DatabaseError& error) {
    if (!IsOwnFault(error.error().code)) throw;
    return Failed(error.error());
  }
}

Written Writer::Apply(const Write& write, Sums& sums) {
  struct Visitor {
    Writer& self;
    Sums& sums;
    Written operator()(const std::shared_ptr<const Finish>& finish)
        RR_REQUIRES(threads::kStorageThread) {
      return self.ApplyFinish(*finish, sums);
    }
    Written operator()(const KeyState& state) {
      SaveKeyState(*self.database_, state);
      return {};
    }
    Written operator()(const ForgetQuotaCounts& request) {
      ForgetCounts(*self.database_, request);
      sums.Forget(request.quota_group);
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
  return std::visit(Visitor{*this, sums}, write);
}

// A result that is there already says that the whole end was written before: a daemon writes it
// again where it could not know.
Written Writer::ApplyFinish(const Finish& finish, Sums& sums) {
  if (finish.attempt) ApplyClosed(*finish.attempt, sums);
  if (finish.result && !SaveResult(*database_, *finish.result, WallNow())) return {};
  const std::string request_id = finish.result ? finish.result->request_id : "";
  if (finish.turn) AppendTurn(*database_, *finish.turn, request_id);
  for (const Usage& usage : finish.usage) sums.Add(usage);
  return {};
}

// One that is not open is closed already.
void Writer::ApplyClosed(const AttemptClosed& attempt, Sums& sums) {
  if (const AttemptLog::Opening* opening = attempts_.Find(attempt.attempt_id)) {
    sums.Close(*opening, attempt);
  }
}

// FULL syncs the WAL at every commit, NORMAL only at checkpoints: what nobody waits for costs no
// sync (https://sqlite.org/pragma.html#pragma_synchronous).
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

// The order is that of a power cut's safety: what the new generation leaves out may only be
// forgotten once that one is on the disk. Where it cannot be written, the old one goes on, and the
// next group tries again.
void Writer::RenewLogWhenDue() {
  try {
    if (attempts_.NeedsRenewal()) attempts_.Renew();
    if (attempts_.generation() == noted_generation_ || !database_) return;
    NoteLogGeneration(*database_, attempts_.generation());
    noted_generation_ = attempts_.generation();
    uncheckpointed_ = true;
  } catch (const DatabaseError&) {
    // While attempts cannot be opened, attempts_.failed() says so.
  }
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
    attempts_.Sync();
    EndSession(*database_);
  } catch (const DatabaseError&) {
    // The next daemon sees that this one could not close it, and checks.
  }
}

}  // namespace requestrouter::storage
