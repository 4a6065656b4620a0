#include "tests/storage/faulty_vfs.h"

#include <sqlite3.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <new>

#include "storage/file_over.h"

namespace requestrouter::storage {
namespace {

// What SQLite holds of an open file: this, and behind it the system's own.
struct OpenFile {
  sqlite3_file base;
  FaultyVfs* vfs;
  std::string* path;
};
using Over = FileOver<OpenFile>;

FaultyVfs& VfsOf(sqlite3_vfs* vfs) { return *static_cast<FaultyVfs*>(vfs->pAppData); }

int Close(sqlite3_file* file) {
  const int code = Over::Close(file);
  delete Over::Of(file).path;
  return code;
}

int Write(sqlite3_file* file, const void* from, int count, sqlite3_int64 offset) {
  OpenFile& mine = Over::Of(file);
  if (const int code = mine.vfs->Pass(FaultyVfs::Operation::kWrite)) return code;
  mine.vfs->Wrote(*mine.path, offset, from, count);
  return Over::Write(file, from, count, offset);
}

int Truncate(sqlite3_file* file, sqlite3_int64 size) {
  const OpenFile& mine = Over::Of(file);
  mine.vfs->Truncated(*mine.path, size);
  return Over::Truncate(file, size);
}

int Sync(sqlite3_file* file, int) {
  OpenFile& mine = Over::Of(file);
  const int code = mine.vfs->Pass(FaultyVfs::Operation::kSync);
  mine.vfs->Synced(*mine.path, code == SQLITE_OK);
  return code;  // the disk itself is not waited for
}

constexpr sqlite3_io_methods kMethods = [] {
  sqlite3_io_methods methods = Over::kForwarding;
  methods.xClose = Close;
  methods.xWrite = Write;
  methods.xTruncate = Truncate;
  methods.xSync = Sync;
  return methods;
}();

int Open(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  FaultyVfs& faulty = VfsOf(vfs);
  auto* opened = new (file) OpenFile{};
  sqlite3_file* const system = Over::System(file);
  system->pMethods = nullptr;
  const int code = faulty.system()->xOpen(faulty.system(), name, system, flags, out_flags);
  if (!system->pMethods) return code;
  opened->base.pMethods = &kMethods;
  opened->vfs = &faulty;
  opened->path = new std::string(name ? name : "");
  if (code == SQLITE_OK) faulty.Opened(*opened->path, system);
  return code;
}

int Delete(sqlite3_vfs* vfs, const char* name, int sync_directory) {
  VfsOf(vfs).Deleted(name);
  sqlite3_vfs* const system = VfsOf(vfs).system();
  return system->xDelete(system, name, sync_directory);
}

}  // namespace

FaultyVfs::FaultyVfs() : system_(sqlite3_vfs_find(nullptr)), mine_(new sqlite3_vfs(*system_)) {
  mine_->zName = "faulty";
  mine_->pAppData = this;
  mine_->pNext = nullptr;
  mine_->szOsFile = static_cast<int>(sizeof(OpenFile)) + system_->szOsFile;
  mine_->xOpen = Open;
  mine_->xDelete = Delete;
  sqlite3_vfs_register(mine_, 1);
}

FaultyVfs::~FaultyVfs() {
  sqlite3_vfs_unregister(mine_);
  sqlite3_vfs_register(system_, 1);
  delete mine_;
}

void FaultyVfs::FailFrom(Operation operation, int nth, int code) {
  const std::lock_guard lock(mutex_);
  failing_ = operation;
  until_failure_ = nth;
  code_ = code;
  failures_ = 0;
}

void FaultyVfs::Heal() {
  const std::lock_guard lock(mutex_);
  until_failure_ = 0;
}

int FaultyVfs::failures() {
  const std::lock_guard lock(mutex_);
  return failures_;
}

int FaultyVfs::Pass(Operation operation) {
  const std::lock_guard lock(mutex_);
  if (until_failure_ == 0 || operation != failing_) return SQLITE_OK;
  if (until_failure_ > 1) {
    --until_failure_;
    return SQLITE_OK;
  }
  ++failures_;
  return code_;
}

void FaultyVfs::Opened(const std::string& path, sqlite3_file* file) {
  const std::lock_guard lock(mutex_);
  if (path.empty() || files_.contains(path)) return;
  sqlite3_int64 size = 0;
  file->pMethods->xFileSize(file, &size);
  std::string content(static_cast<std::size_t>(size), '\0');
  file->pMethods->xRead(file, content.data(), static_cast<int>(size), 0);
  files_[path].durable = std::move(content);
}

void FaultyVfs::Wrote(const std::string& path, std::int64_t offset, const void* bytes, int count) {
  const std::lock_guard lock(mutex_);
  files_[path].unsynced.push_back(
      {offset, std::string(static_cast<const char*>(bytes), static_cast<std::size_t>(count)),
       false});
}

void FaultyVfs::Truncated(const std::string& path, std::int64_t size) {
  const std::lock_guard lock(mutex_);
  files_[path].unsynced.push_back({size, "", true});
}

void FaultyVfs::Synced(const std::string& path, bool worked) {
  const std::lock_guard lock(mutex_);
  File& file = files_[path];
  if (worked) {
    for (const Change& change : file.unsynced) Apply(change, change.bytes.size(), &file.durable);
  }
  file.unsynced.clear();
}

void FaultyVfs::Deleted(const std::string& path) {
  const std::lock_guard lock(mutex_);
  files_.erase(path);
}

void FaultyVfs::Apply(const Change& change, std::size_t count, std::string* content) {
  const auto offset = static_cast<std::size_t>(change.offset);
  if (change.truncates) return content->resize(offset);
  if (content->size() < offset + count) content->resize(offset + count);
  std::memcpy(content->data() + offset, change.bytes.data(), count);
}

// Of each change that was not synced: all, nothing, or the first sectors.
void FaultyVfs::CutPower(const std::string& folder, std::mt19937& random) {
  constexpr std::size_t kSector = 512;
  const std::lock_guard lock(mutex_);
  std::filesystem::create_directories(folder);
  for (const auto& [path, file] : files_) {
    std::string content = file.durable;
    for (const Change& change : file.unsynced) {
      const auto luck = random() % 4;
      const std::size_t sectors = change.bytes.size() / kSector;
      if (luck == 0 || (change.truncates && luck < 2)) continue;
      Apply(change, luck == 1 ? random() % (sectors + 1) * kSector : change.bytes.size(), &content);
    }
    std::ofstream copy(folder / std::filesystem::path(path).filename(), std::ios::binary);
    copy << content;
  }
}

}  // namespace requestrouter::storage
