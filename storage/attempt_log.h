#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "storage/store.h"
#include "threads/mutex.h"

namespace requestrouter::storage {

// The attempts under way, in a file beside the database: an attempt is appended right before it is
// sent, by the thread that sends it, so it costs one write into the page cache and no transaction.
// Nothing is synced: that survives kill -9, not a power cut. That an attempt has ended is said in
// the database (pending_counts, later closings), by the transaction that holds its end.
//
// The file only grows. When it is long, one that holds the attempts still under way takes its
// place; each such file is a generation. The next daemon reads it, and the one that was about to
// take its place (PATH.next) if there is one.
//
// The file: a header, then records of size, checksum (XXH3) and fields, then zeros. What follows
// the first record that is not whole is not read: it was being written. Files of earlier versions
// are read, too: a daemon that was killed may have been one.
class AttemptLog {
 public:
  // Whose log a file is: a database that was put in the place of another has nothing to do with it.
  struct Identity {
    std::int64_t database = 0;
    std::int64_t generation = 0;
  };

  // What the end of an attempt has to know of its beginning.
  struct Opening {
    std::string quota_group;
    std::string model;
    Millis at = 0;
    std::string record;  // as it is in the file
  };

  // A file, whatever it is called: its device's two numbers and its own.
  using Inode = std::array<std::uint64_t, 3>;

  // Begins an empty file, in the place of what is there. Throws DatabaseError.
  AttemptLog(std::string path, Identity identity);
  ~AttemptLog();
  AttemptLog(const AttemptLog&) = delete;
  AttemptLog& operator=(const AttemptLog&) = delete;

  // Any thread. Fails, too, where the disk is so full that the attempt's end would not fit. The
  // attempt is under way all the same as far as Find is concerned.
  Result<void> Open(const AttemptOpened& attempt);

  // The last Open failed, and no file with everything in it could be written since. Any thread.
  bool failed() const { return failed_; }

  // ---- the storage thread

  // nullptr: never opened, or closed. Valid until it is closed.
  const Opening* Find(std::int64_t attempt_id) const;
  // Their ends are committed.
  void Close(std::span<const std::int64_t> attempt_ids);

  // It is long or incomplete.
  bool NeedsRenewal() const;
  // Its path names no file any more, or another one.
  bool HasMoved() const;
  // Begins the next generation, and syncs it. Throws DatabaseError and may be called again.
  void Renew();
  // Everything in it survives a power cut. Throws DatabaseError.
  void Sync();
  std::int64_t generation() const { return identity_.generation; }
  std::int64_t last_id() const;  // the largest that was opened; 0: none was

  // What the files at `path` hold, oldest first; files of another database, or of an earlier
  // generation, hold nothing.
  static std::vector<AttemptOpened> Read(const std::string& path, const Identity& identity);

 private:
  bool HasRoom() RR_REQUIRES(mutex_);
  void BeginNext();
  void TakeItsPlace();

  const std::string path_;
  Identity identity_;
  std::optional<Inode> inode_;  // of fd_
  bool in_place_ = true;        // the file is called path_, not yet path_.next
  std::atomic<bool> failed_{false};

  mutable threads::Mutex mutex_;
  int fd_ RR_GUARDED_BY(mutex_) = -1;            // replaced by the storage thread only
  std::int64_t end_ RR_GUARDED_BY(mutex_) = 0;   // of what is written
  std::int64_t renew_at_ RR_GUARDED_BY(mutex_);  // when end_ is there
  std::chrono::steady_clock::time_point room_until_ RR_GUARDED_BY(mutex_);  // see HasRoom
  std::unordered_map<std::int64_t, Opening> open_ RR_GUARDED_BY(mutex_);
  std::int64_t last_id_ RR_GUARDED_BY(mutex_) = 0;
};

}  // namespace requestrouter::storage
