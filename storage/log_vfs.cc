#include "storage/log_vfs.h"

#include <cstdint>
#include <new>
#include <string_view>

namespace requestrouter::storage {
namespace {

// SQLite's VFS for Unix can write no more at once (seekAndWriteFd in its os_unix.c).
constexpr std::size_t kMost = 0x1ffff;

// What SQLite holds of the log: this, and behind it the default VFS's file.
struct Log {
  sqlite3_file base;
  LogVfs* vfs;
};

Log& Mine(sqlite3_file* file) { return *reinterpret_cast<Log*>(file); }
sqlite3_file* System(sqlite3_file* file) {
  return reinterpret_cast<sqlite3_file*>(&Mine(file) + 1);
}
const sqlite3_io_methods& Methods(sqlite3_file* file) { return *System(file)->pMethods; }
int WriteGathered(sqlite3_file* file) { return Mine(file).vfs->WriteGathered(System(file)); }

int Close(sqlite3_file* file) {
  // Only a transaction that was not committed can have left anything.
  WriteGathered(file);
  return Methods(file).xClose(System(file));
}

int Read(sqlite3_file* file, void* to, int count, sqlite3_int64 offset) {
  if (const int code = WriteGathered(file)) return code;
  return Methods(file).xRead(System(file), to, count, offset);
}

int Write(sqlite3_file* file, const void* from, int count, sqlite3_int64 offset) {
  return Mine(file).vfs->Write(System(file), from, count, offset);
}

int Truncate(sqlite3_file* file, sqlite3_int64 size) {
  if (const int code = WriteGathered(file)) return code;
  return Methods(file).xTruncate(System(file), size);
}

int Sync(sqlite3_file* file, int flags) {
  if (const int code = WriteGathered(file)) return code;
  return Methods(file).xSync(System(file), flags);
}

int FileSize(sqlite3_file* file, sqlite3_int64* size) {
  if (const int code = WriteGathered(file)) return code;
  return Methods(file).xFileSize(System(file), size);
}

int Lock(sqlite3_file* file, int level) { return Methods(file).xLock(System(file), level); }
int Unlock(sqlite3_file* file, int level) { return Methods(file).xUnlock(System(file), level); }
int CheckReservedLock(sqlite3_file* file, int* result) {
  return Methods(file).xCheckReservedLock(System(file), result);
}
int FileControl(sqlite3_file* file, int operation, void* argument) {
  return Methods(file).xFileControl(System(file), operation, argument);
}
int SectorSize(sqlite3_file* file) { return Methods(file).xSectorSize(System(file)); }
int DeviceCharacteristics(sqlite3_file* file) {
  return Methods(file).xDeviceCharacteristics(System(file));
}

// Version 1: shared memory is the database's, and nothing maps the log into memory.
constexpr sqlite3_io_methods kMethods = {1,
                                         Close,
                                         Read,
                                         Write,
                                         Truncate,
                                         Sync,
                                         FileSize,
                                         Lock,
                                         Unlock,
                                         CheckReservedLock,
                                         FileControl,
                                         SectorSize,
                                         DeviceCharacteristics,
                                         nullptr,
                                         nullptr,
                                         nullptr,
                                         nullptr,
                                         nullptr,
                                         nullptr};

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
  sqlite3_file* const log = System(file);
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
