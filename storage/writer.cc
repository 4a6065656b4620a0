#include "storage/writer.h"

#include <pthread.h>

#include <algorithm>
#include <chrono>
#include <optional>

#include "storage/crash_point.h"
#include "storage/tables.h"
#include "threads/scheduling.h"

namespace requestrouter::storage {
namespace {

// Quiet time before a checkpoint, and between probes of a database that failed.
constexpr std::chrono::milliseconds kQuiet{200};

Result<Written> Failed(const Error& error) { return tl::unexpected(error); }

bool IsRestore(const Write& write) { return std::holds_alternative<Restore>(write); }

// Who asks for it reads the counters next.
bool IsFlush(const Write& write) { return std::holds_alternative<Flush>(write); }

bool HasTurn(const Write& write) {
  const auto* finish = std::get_if<std::shared_ptr<const Finish>>(&write);
  return finish && (*finish)->turn;
}

}  // namespace

Writer::Writer(Options options, std::unique_ptr<Database> database, AttemptLog& attempts)
    : options_(std::move(options)),
      database_(std::move(database)),
      attempts_(attempts),
      watch_(options_.directory),
      noted_generation_(attempts.generation()) {
  thread_ = std::thread([this] { Run(); });
  pthread_setname_np(thread_.native_handle(), "storage");
}

Writer::~Writer() { Stop(); }

void Writer::Stop() {
  if (!thread_.joinable()) return;
  queue_.Stop();
  thread_.join();
}

void Writer::Run() {
  const threads::InRole here(threads::kStorageThread);
  threads::ServeTheRouter();
  for (;;) {
    const bool restless = uncheckpointed_ || !healthy_ || attempts_.failed();
    auto group = queue_.Take(restless ? std::optional(kQuiet) : std::nullopt);
    if (!group) break;
    if (group->empty()) {
      AddUpWhenDue();
      CheckpointWhenDue(true);
      if (!healthy_) Probe();
      RenewLogWhenDue();
      continue;
    }
    Commit(*group);
    RenewLogWhenDue();
    CheckpointWhenDue(false);
  }
  EndSessionOrLeaveIt();
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
    NoteFailure(error);
    results.assign(group.size(), Failed(error.error()));
  }
  options_.on_commit({std::chrono::steady_clock::now() - began, group.size(), healthy_});
  for (std::size_t i = 0; i < group.size(); ++i) group[i].done(std::move(results[i]));
  // Those who were told answer before the next commit takes the processor, and add to it.
  if (!queue_.empty()) threads::LetOthersRun();
}

void Writer::NoteFailure(const DatabaseError& error) {
  healthy_ = false;
  suspect_ = suspect_ || error.error().code == ErrorCode::kIo;
}

void Writer::CommitOrThrow(std::vector<Job>& group, Results& results) {
  const bool sync = options_.durability == Durability::kFull &&
                    std::any_of(group.begin(), group.end(),
                                [](const Job& job) { return job.durability == Durability::kFull; });
  database_->SetDurability(sync ? Durability::kFull : Durability::kProcess);
  if (IsRestore(group.front().write)) {
    Sums none;
    return results.push_back(Apply(group.front().write, TargetOf(none)));
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
    results.push_back(Apply(job.write, TargetOf(sums)));
    if (!results.back() && results.back().error().code != ErrorCode::kNotFound) return false;
    has_turn = has_turn || HasTurn(job.write);
  }
  if (has_turn) CrashPoint("committing");
  CommitWithSums(group, transaction, sums);
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
    results.push_back(Apply(job.write, TargetOf(sums)));
    if (results.back()) {
      savepoint.Keep();
    } else {
      sums.DropAfter(before);
    }
  }
  CommitWithSums(group, transaction, sums);
}

void Writer::CommitWithSums(const std::vector<Job>& group, Transaction& transaction, Sums& sums) {
  const std::vector<std::int64_t> closed = sums.WriteTo(*database_);
  const bool add_up =
      pending_commits_ >= kPendingCommits ||
      std::any_of(group.begin(), group.end(), [](const Job& job) { return IsFlush(job.write); });
  if (add_up) AddUpPending(*database_);
  transaction.Commit();
  pending_commits_ = add_up ? 0 : pending_commits_ + 1;
  attempts_.Close(closed);
}

}  // namespace requestrouter::storage
