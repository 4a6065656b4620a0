#include <sqlite3.h>

#include "storage/session.h"
#include "storage/tables.h"
#include "storage/writer.h"

// What the storage thread does in quiet moments and at its end: sums, checkpoints, generations of
// the attempt log, looking whether writing works again.
namespace requestrouter::storage {

void Writer::AddUpWhenDue() {
  if (!database_ || !healthy_ || pending_commits_ == 0) return;
  try {
    database_->SetDurability(Durability::kProcess);
    Transaction transaction(*database_);
    AddUpPending(*database_);
    transaction.Commit();
    pending_commits_ = 0;
    uncheckpointed_ = true;
  } catch (const DatabaseError& error) {
    NoteFailure(error);
  }
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
    if (attempts_.NeedsRenewal() || (may_have_moved_ && attempts_.HasMoved())) attempts_.Renew();
    may_have_moved_ = may_have_moved_ && !healthy_;
    if (attempts_.generation() == noted_generation_ || !database_) return;
    NoteLogGeneration(*database_, attempts_.generation(), attempts_.last_id());
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
    database_->SetDurability(options_.durability);
    Transaction transaction(*database_);
    database_->Execute(
        "INSERT OR REPLACE INTO key_states VALUES ('', '', 0, '', '', 0);"
        "DELETE FROM key_states WHERE key_id = ''");
    transaction.Commit();
    healthy_ = true;
  } catch (const DatabaseError& error) {
    NoteFailure(error);
  }
}

void Writer::EndSessionOrLeaveIt() {
  try {
    EnsureFiles();
    database_->SetDurability(Durability::kFull);
    attempts_.Sync();
    EndSession(*database_);
  } catch (const DatabaseError&) {
    // The next daemon sees that this one could not close it, and checks.
  }
}

}  // namespace requestrouter::storage
