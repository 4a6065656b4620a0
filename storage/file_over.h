#pragma once

#include <sqlite3.h>

namespace requestrouter::storage {

// A file of a VFS that stands over another one: `Mine`, which begins with a sqlite3_file, and right
// behind it the other VFS's file (szOsFile has room for both). Here is what all of them do alike;
// see https://sqlite.org/c3ref/io_methods.html.
template <typename Mine>
struct FileOver {
  static Mine& Of(sqlite3_file* file) { return *reinterpret_cast<Mine*>(file); }
  static sqlite3_file* System(sqlite3_file* file) {
    return reinterpret_cast<sqlite3_file*>(&Of(file) + 1);
  }
  static const sqlite3_io_methods& Methods(sqlite3_file* file) { return *System(file)->pMethods; }

  static int Close(sqlite3_file* file) { return Methods(file).xClose(System(file)); }
  static int Read(sqlite3_file* file, void* to, int count, sqlite3_int64 offset) {
    return Methods(file).xRead(System(file), to, count, offset);
  }
  static int Write(sqlite3_file* file, const void* from, int count, sqlite3_int64 offset) {
    return Methods(file).xWrite(System(file), from, count, offset);
  }
  static int Truncate(sqlite3_file* file, sqlite3_int64 size) {
    return Methods(file).xTruncate(System(file), size);
  }
  static int Sync(sqlite3_file* file, int flags) {
    return Methods(file).xSync(System(file), flags);
  }
  static int FileSize(sqlite3_file* file, sqlite3_int64* size) {
    return Methods(file).xFileSize(System(file), size);
  }
  static int Lock(sqlite3_file* file, int level) {
    return Methods(file).xLock(System(file), level);
  }
  static int Unlock(sqlite3_file* file, int level) {
    return Methods(file).xUnlock(System(file), level);
  }
  static int CheckReservedLock(sqlite3_file* file, int* result) {
    return Methods(file).xCheckReservedLock(System(file), result);
  }
  static int FileControl(sqlite3_file* file, int operation, void* argument) {
    return Methods(file).xFileControl(System(file), operation, argument);
  }
  static int SectorSize(sqlite3_file* file) { return Methods(file).xSectorSize(System(file)); }
  static int DeviceCharacteristics(sqlite3_file* file) {
    return Methods(file).xDeviceCharacteristics(System(file));
  }
  static int ShmMap(sqlite3_file* file, int page, int size, int extend, void volatile** to) {
    return Methods(file).xShmMap(System(file), page, size, extend, to);
  }
  static int ShmLock(sqlite3_file* file, int offset, int count, int flags) {
    return Methods(file).xShmLock(System(file), offset, count, flags);
  }
  static void ShmBarrier(sqlite3_file* file) { Methods(file).xShmBarrier(System(file)); }
  static int ShmUnmap(sqlite3_file* file, int remove) {
    return Methods(file).xShmUnmap(System(file), remove);
  }

  // Version 2: nothing is mapped into memory but what is shared. To be copied, and changed.
  static constexpr sqlite3_io_methods kForwarding = {2,
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
                                                     ShmMap,
                                                     ShmLock,
                                                     ShmBarrier,
                                                     ShmUnmap,
                                                     nullptr,
                                                     nullptr};
};

}  // namespace requestrouter::storage
