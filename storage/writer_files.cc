#include <sqlite3.h>
#include <unistd.h>

#include <chrono>

#include "storage/files.h"
#include "storage/schema.h"
#include "storage/writer.h"

// The files under the open connection: what to do where somebody has taken them away.
namespace requestrouter::storage {
namespace {

// True: the path names no file any more, or another one than was opened.
bool HasMoved(const Database& database) {
  int moved = 0;
  sqlite3_file_control(database.handle(), "main", SQLITE_FCNTL_HAS_MOVED, &moved);
  return moved != 0;
}

bool Exists(const std::string& path) { return access(path.c_str(), F_OK) == 0; }

}  // namespace

// Before every group, so that a turn is never acknowledged that a restart would not find: a file
// that was deleted goes on taking writes, and they vanish with it.
void Writer::EnsureFiles() {
  if (!database_) Reopen();
  may_have_moved_ = watch_.MayHaveChanged(std::chrono::steady_clock::now()) || may_have_moved_;
  if (may_have_moved_) EnsureDatabase();
  if (suspect_) {
    CheckpointFully();
    suspect_ = false;
  }
}

void Writer::EnsureDatabase() {
  if (HasMoved(*database_)) {
    if (Exists(options_.path)) {
      throw DatabaseError(ErrorCode::kReadOnly,
                          options_.path +
                              ": another file was put in its place; move that one away"
                              " (routerd then writes its own again), or restart routerd"
                              " to use it");
    }
    Rescue();
  } else if (!Exists(options_.path + "-wal")) {
    // Everything in the log goes to the database; opening again makes a new log.
    CheckpointFully();
    Reopen();
  }
}

// The connection still holds the deleted files: they are written out again.
void Writer::Rescue() {
  CopyDeleted(*database_, options_.path);
  Reopen();
}

void Writer::Reopen() {
  database_.reset();
  AdoptCopy(options_.path);
  auto opened = std::make_unique<Database>(options_.path, Database::Mode::kReadWrite);
  Migrate(*opened);
  database_ = std::move(opened);
  uncheckpointed_ = false;
  options_.on_reopened();
}

// Copies the whole log to the database and syncs both; throws where anything is left.
void Writer::CheckpointFully() {
  int frames = 0;
  int copied = 0;
  const int code = sqlite3_wal_checkpoint_v2(database_->handle(), nullptr,
                                             SQLITE_CHECKPOINT_TRUNCATE, &frames, &copied);
  if (code != SQLITE_OK) database_->Throw(code);
  SyncLog();
  uncheckpointed_ = false;
}

// SQLite does not sync that it has emptied the log, and what a failed sync left of an older one
// must not be taken for the newest state after a power cut.
void Writer::SyncLog() {
  sqlite3_file* log = nullptr;
  sqlite3_file_control(database_->handle(), "main", SQLITE_FCNTL_JOURNAL_POINTER, &log);
  if (!log || !log->pMethods) return;
  const int code = log->pMethods->xSync(log, SQLITE_SYNC_NORMAL);
  if (code != SQLITE_OK) database_->Throw(code);
}

}  // namespace requestrouter::storage
