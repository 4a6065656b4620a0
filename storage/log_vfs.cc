#include "storage/log_vfs.h"

#include <cstdint>
#include <new>
#include <string_view>

#include "storage/file_over.h"

namespace requestrouter::storage {
namespace {

// SQLite's VFS for Unix can write no more at once (seekAndWriteFd in its os_unix.c).
constexpr std::size_t kMost = 0x1ffff;

// What SQLite holds of the log: this, and behind it the default VFS's file.
struct Log {
  sqlite3_file base;
  LogVfs* vfs;
};

using Over = FileOver<Log>;

int WriteGathered(sqlite3_file* file) {
  return Over::Of(file).vfs->WriteGathered(Over::System(file));
}

int Close(sqlite3_file* file) {
  // Only a transaction that was not committed can have left anything.
  WriteGathered(file);
  return Over::Close(file);
}

int Read(sqlite3_file* file, void* to, int count, sqlite3_int64 offset) {
  if (const int code = WriteGathered(file)) return code;
  return Over::Read(file, to, count, offset);
}

int Write(sqlite3_file* file, const void* from, int count, sqlite3_int64 offset) {
  return Over::Of(file).vfs->Write(Over::System(file), from, count, offset);
}

int Truncate(sqlite3_file* file, sqlite3_int64 size) {
  if (const int code = WriteGathered(file)) return code;
  return Over::Truncate(file, size);
}

int Sync(sqlite3_file* file, int flags) {
  if (const int code = WriteGathered(file)) return code;
  return Over::Sync(file, flags);
}

int FileSize(sqlite3_file* file, sqlite3_int64* size) {
  if (const int code = WriteGathered(file)) return code;
  return Over::FileSize(file, size);
}

constexpr sqlite3_io_methods kMethods = [] {
  sqlite3_io_methods methods = Over::kForwarding;
  methods.xClose = Close;
  methods.xRead = Read;
  methods.xWrite = Write;
  methods.xTruncate = Truncate;
  methods.xSync = Sync;
  methods.xFileSize = FileSize;
  return methods;
}();

}  // namespace

// SQLite finds a VFS by its name, so each has one of its own.
LogVfs::LogVfs()
    : system_(sqlite3_vfs_find(nullptr)),
      name_("log-" + std::to_string(reinterpret_cast<std::uintptr_t>(this))),
      vfs_{*system_, this} {
  vfs_.zName = name();
  vfs_.pNext = nullptr;
  vfs_.szOsFile += static_cast<int>(sizeof(Log));
  vfs_.xOpen = OpenFile;
  sqlite3_vfs_register(&vfs_, 0);
}

LogVfs::~LogVfs() { sqlite3_vfs_unregister(&vfs_); }

int LogVfs::OpenFile(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags,
                     int* out_flags) {
  return static_cast<Vfs*>(vfs)->owner->Open(name, file, flags, out_flags);
}

int LogVfs::Open(const char* name, sqlite3_file* file, int flags, int* out_flags) {
  if ((flags & SQLITE_OPEN_WAL) == 0) return system_->xOpen(system_, name, file, flags, out_flags);
  sqlite3_file* const log = Over::System(file);
  const int code = system_->xOpen(system_, name, log, flags, out_flags);
  // Where it has methods, although it may have failed, SQLite closes it.
  new (file) Log{{log->pMethods ? &kMethods : nullptr}, this};
  return code;
}

int LogVfs::Write(sqlite3_file* log, const void* from, int count, sqlite3_int64 offset) {
  const std::string_view bytes(static_cast<const char*>(from), static_cast<std::size_t>(count));
  const bool follows = offset == gathered_at_ + static_cast<sqlite3_int64>(gathered_.size());
  if (!gathering_ || !follows || gathered_.size() + bytes.size() > kMost) {
    if (const int code = WriteGathered(log)) return code;
  }
  if (!gathering_) return log->pMethods->xWrite(log, from, count, offset);
  if (gathered_.empty()) gathered_at_ = offset;
  gathered_ += bytes;
  return SQLITE_OK;
}

int LogVfs::WriteGathered(sqlite3_file* log) {
  if (gathered_.empty()) return SQLITE_OK;
  const int code = log->pMethods->xWrite(log, gathered_.data(), static_cast<int>(gathered_.size()),
                                         gathered_at_);
  gathered_.clear();
  return code;
}

}  // namespace requestrouter::storage
