#pragma once

#include <sqlite3.h>

#include <string>

namespace requestrouter::storage {

// The default VFS of SQLite for one connection, with one difference: what a commit appends to the
// log is written by one system call instead of two for each page (https://sqlite.org/vfs.html).
//
// While it gathers, writes that follow each other are kept until the log is synced or anything else
// is done with it. A failure to write them is therefore the sync's, or that of the other thing.
//
// One thread's at a time: the connection's. Made before the connection, and outlives it.
class LogVfs {
 public:
  LogVfs();
  ~LogVfs();
  LogVfs(const LogVfs&) = delete;
  LogVfs& operator=(const LogVfs&) = delete;

  const char* name() const { return name_.c_str(); }  // for sqlite3_open_v2
  // Between transactions. Only for those whose commit syncs the log (PRAGMA synchronous = FULL):
  // others tell readers of pages that would not be there yet.
  void Gather(bool on) { gathering_ = on; }

  // For the C callbacks; all return a code of SQLite's. `log` is the default VFS's file.
  int Open(const char* name, sqlite3_file* file, int flags, int* out_flags);
  int Write(sqlite3_file* log, const void* from, int count, sqlite3_int64 offset);
  int WriteGathered(sqlite3_file* log);

 private:
  struct Vfs : sqlite3_vfs {
    LogVfs* owner;
  };
  static int OpenFile(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags,
                      int* out_flags);

  sqlite3_vfs* const system_;
  const std::string name_;
  Vfs vfs_;
  bool gathering_ = false;
  std::string gathered_;
  sqlite3_int64 gathered_at_ = 0;  // its offset in the log
};

}  // namespace requestrouter::storage
