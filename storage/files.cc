#include "storage/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "storage/crash_point.h"

namespace requestrouter::storage {
namespace {

[[noreturn]] void ThrowErrno(const std::string& path) {
  throw DatabaseError(ErrnoError(path, errno));
}

[[noreturn]] void RefuseExisting(const std::string& path) {
  throw DatabaseError(ErrorCode::kInvalid, path + " exists already; name a new file");
}

void Rename(const std::string& from, const std::string& to) {
  if (renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return;
  if (errno == EEXIST) RefuseExisting(to);
  // EINVAL: a file system that cannot do it in one step.
  if (errno != EINVAL || rename(from.c_str(), to.c_str()) != 0) ThrowErrno(to);
}

}  // namespace

Error ErrnoError(const std::string& path, int error) {
  const bool full = error == ENOSPC || error == EDQUOT || error == EFBIG;
  const ErrorCode code = full           ? ErrorCode::kFull
                         : error == EIO ? ErrorCode::kIo
                                        : ErrorCode::kReadOnly;
  return {code, path + ": " + std::strerror(error)};
}

void Sync(const std::string& path, int flags) {
  const int fd = open(path.c_str(), flags | O_RDONLY | O_CLOEXEC);
  if (fd < 0) ThrowErrno(path);
  const bool synced = fsync(fd) == 0;
  if (!synced && errno != EINVAL) {  // EINVAL: a file system without it
    const int error = errno;
    close(fd);
    throw DatabaseError(ErrnoError(path, error));
  }
  close(fd);
}

// VACUUM INTO reads one state and blocks nobody (https://sqlite.org/lang_vacuum.html#vacuuminto).
void CopyDatabase(Database& database, const std::string& path) {
  std::error_code ignored;
  if (std::filesystem::exists(path, ignored)) RefuseExisting(path);
  const std::string partial = path + ".partial";
  unlink(partial.c_str());
  try {
    database.Prepare("VACUUM INTO ?").Bind(1, std::string_view(partial)).Run();
    chmod(partial.c_str(), 0600);
    Sync(partial, 0);
    CrashPoint("backing_up");
    Rename(partial, path);
    Sync(std::filesystem::path(path).parent_path().string(), O_DIRECTORY);
  } catch (const DatabaseError&) {
    unlink(partial.c_str());
    throw;
  }
}

void CopyDeleted(Database& database, const std::string& path) {
  const std::filesystem::path copy = path + ".rescue";
  std::error_code ignored;
  std::filesystem::create_directories(copy.parent_path(), ignored);
  std::filesystem::remove(copy, ignored);
  CopyDatabase(database, copy);
}

// The log that is there belongs to the file that is not: with the copy it would make a ruin.
void AdoptCopy(const std::string& path) {
  const std::string copy = path + ".rescue";
  std::error_code ignored;
  if (!std::filesystem::exists(copy, ignored)) return;
  if (std::filesystem::exists(path, ignored)) return;
  for (const char* suffix : {"-wal", "-shm"}) unlink((path + suffix).c_str());
  Rename(copy, path);
}

}  // namespace requestrouter::storage
