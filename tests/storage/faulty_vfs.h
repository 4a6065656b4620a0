#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <random>
#include <string>
#include <vector>

struct sqlite3_vfs;
struct sqlite3_file;

namespace requestrouter::storage {

// SQLite's view of the disk, made to fail. While one of these lives, every connection that is
// opened goes through it; files are real ones of the system's VFS beneath.
//
// It also keeps account of what has been synced, so that it can tell what a power cut would leave:
// what was synced, and any part of what was not. A sync that fails loses what it should have
// synced, although the file still reads well and later syncs succeed, as Linux does it
// (https://wiki.postgresql.org/wiki/Fsync_Errors).
class FaultyVfs {
 public:
  enum class Operation : std::uint8_t { kWrite, kSync };

  FaultyVfs();
  ~FaultyVfs();
  FaultyVfs(const FaultyVfs&) = delete;
  FaultyVfs& operator=(const FaultyVfs&) = delete;

  // The `nth` operation from now (1: the next) and all after it fail with this code of SQLite's.
  void FailFrom(Operation operation, int nth, int code);
  void Heal();
  int failures();

  // Writes to the folder what a power cut at this moment could leave of every file that was opened.
  void CutPower(const std::string& folder, std::mt19937& random);

  // For the C callbacks.
  int Pass(Operation operation);
  void Opened(const std::string& path, sqlite3_file* file);
  void Wrote(const std::string& path, std::int64_t offset, const void* bytes, int count);
  void Truncated(const std::string& path, std::int64_t size);
  void Synced(const std::string& path, bool worked);
  void Deleted(const std::string& path);
  sqlite3_vfs* system() const { return system_; }

 private:
  // A write, or a truncation to `offset`.
  struct Change {
    std::int64_t offset = 0;
    std::string bytes;
    bool truncates = false;
  };
  struct File {
    std::string durable;
    std::vector<Change> unsynced;
  };
  static void Apply(const Change& change, std::size_t count, std::string* content);

  sqlite3_vfs* const system_;
  sqlite3_vfs* mine_;
  std::mutex mutex_;  // guards what follows
  std::map<std::string, File> files_;
  Operation failing_ = Operation::kWrite;
  int until_failure_ = 0;  // 0: nothing fails
  int code_ = 0;
  int failures_ = 0;
};

}  // namespace requestrouter::storage
