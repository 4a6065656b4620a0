#include "storage/attempt_log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include <xxhash.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>

#include "storage/database.h"
#include "storage/files.h"

namespace requestrouter::storage {
namespace {

// Reserved on the disk at once, so that a full disk is not noticed in the middle of it; renewed
// early enough that what is opened until then still fits.
constexpr std::int64_t kReserved = 4 << 20;
constexpr std::int64_t kLong = 3 << 20;
// After a renewal that failed, and at least what the attempts under way take themselves.
constexpr std::int64_t kStep = 64 << 10;

// A turn of some messages, with the pages of indexes that it changes.
constexpr std::uint64_t kLeastRoom = 64 << 10;

// No disk is filled by this much in kRoomLasts, so for that long it is not looked at again; a disk
// with less room is looked at for each attempt.
constexpr std::uint64_t kAmpleRoom = 64 << 20;
constexpr std::chrono::milliseconds kRoomLasts{5};

constexpr std::uint64_t kMagic = 0x32676f4c74744152;  // "RAttLog2"
// Its records do not say what counts against limits of tokens.
constexpr std::uint64_t kMagicOfVersion1 = 0x31676f4c74744152;

struct Header {
  std::uint64_t magic;
  AttemptLog::Identity identity;
  std::uint64_t checksum;  // of what is before it

  static Header Of(const AttemptLog::Identity& identity) {
    Header header{kMagic, identity, 0};
    header.checksum = header.Checksum();
    return header;
  }
  std::uint64_t Checksum() const { return XXH3_64bits(this, offsetof(Header, checksum)); }
};

struct RecordHead {
  std::uint64_t checksum;  // of the fields
  std::uint64_t size;      // of the fields
};

// Records are far smaller; what says otherwise is no record.
constexpr std::uint64_t kLargest = 1 << 20;

template <typename T>
void Append(std::string* to, const T& value) {
  to->append(reinterpret_cast<const char*>(&value), sizeof value);
}

void AppendText(std::string* to, const std::string& text) {
  Append(to, static_cast<std::uint32_t>(text.size()));
  to->append(text);
}

std::string Encode(const AttemptOpened& attempt) {
  std::string record;
  record.reserve(256);
  Append(&record, RecordHead{});
  for (const std::int64_t number :
       {attempt.attempt_id, std::int64_t{attempt.uid}, attempt.at, attempt.input_tokens,
        attempt.output_tokens, attempt.counted_tokens}) {
    Append(&record, number);
  }
  for (const std::string* text : {&attempt.request_id, &attempt.body_digest, &attempt.conv_id,
                                  &attempt.key_id, &attempt.quota_group, &attempt.model}) {
    AppendText(&record, *text);
  }
  const std::size_t size = record.size() - sizeof(RecordHead);
  const RecordHead head{XXH3_64bits(record.data() + sizeof head, size), size};
  std::memcpy(record.data(), &head, sizeof head);
  return record;
}

// Takes fields off the front of what was checked already; false once there are no more.
class Fields {
 public:
  explicit Fields(std::string_view bytes) : bytes_(bytes) {}

  template <typename T>
  bool Take(T* value) {
    if (bytes_.size() < sizeof *value) return false;
    std::memcpy(value, bytes_.data(), sizeof *value);
    bytes_.remove_prefix(sizeof *value);
    return true;
  }
  bool TakeText(std::string* text) {
    std::uint32_t size = 0;
    if (!Take(&size) || bytes_.size() < size) return false;
    text->assign(bytes_.substr(0, size));
    bytes_.remove_prefix(size);
    return true;
  }
  std::string_view rest() const { return bytes_; }

 private:
  std::string_view bytes_;
};

// Of version 1 the rule is not known, and counted as the migration of the database counts.
bool Decode(std::string_view bytes, bool version_1, AttemptOpened* attempt) {
  Fields fields(bytes);
  std::int64_t uid = 0;
  for (std::int64_t* number : {&attempt->attempt_id, &uid, &attempt->at, &attempt->input_tokens,
                               &attempt->output_tokens}) {
    if (!fields.Take(number)) return false;
  }
  if (version_1) {
    attempt->counted_tokens = attempt->input_tokens + attempt->output_tokens;
  } else if (!fields.Take(&attempt->counted_tokens)) {
    return false;
  }
  attempt->uid = static_cast<std::uint32_t>(uid);
  for (std::string* text : {&attempt->request_id, &attempt->body_digest, &attempt->conv_id,
                            &attempt->key_id, &attempt->quota_group, &attempt->model}) {
    if (!fields.TakeText(text)) return false;
  }
  return true;
}

void ReadFile(const std::string& path, const AttemptLog::Identity& identity,
              std::vector<AttemptOpened>* found) {
  std::ifstream file(path, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  Fields rest(bytes);
  Header header{};
  if (!rest.Take(&header) || header.checksum != header.Checksum()) return;
  const bool version_1 = header.magic == kMagicOfVersion1;
  if (!version_1 && header.magic != kMagic) return;
  if (header.identity.database != identity.database) return;
  if (header.identity.generation < identity.generation) return;
  RecordHead head{};
  while (rest.Take(&head) && head.size > 0 && head.size <= kLargest) {
    const std::string_view fields = rest.rest().substr(0, head.size);
    AttemptOpened attempt;
    if (fields.size() < head.size || XXH3_64bits(fields.data(), fields.size()) != head.checksum ||
        !Decode(fields, version_1, &attempt)) {
      return;
    }
    found->push_back(std::move(attempt));
    rest = Fields(rest.rest().substr(head.size));
  }
}

// Nullopt: none is there. Asks for nothing but the inode: who has asked for a file's times makes
// Linux (6.13 and later) give it a new one with the next write, and the next sync of any file near
// it writes that out, too. A lone turn took a tenth longer.
std::optional<AttemptLog::Inode> FindInode(int directory, const char* path, int flags = 0) {
  struct statx found {};
  if (statx(directory, path, flags, STATX_INO, &found) != 0) return std::nullopt;
  return AttemptLog::Inode{found.stx_dev_major, found.stx_dev_minor, found.stx_ino};
}

Error Trouble(const std::string& path, int error) {
  return Describe(ErrnoError(path, error).code, path, std::strerror(error));
}

// False, with errno: not all of it was written.
bool WriteAll(int fd, std::string_view bytes, std::int64_t offset) {
  while (!bytes.empty()) {
    const ssize_t written = pwrite(fd, bytes.data(), bytes.size(), offset);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(written));
    offset += written;
  }
  return true;
}

}  // namespace

// What the files of earlier daemons hold is in the database by now.
AttemptLog::AttemptLog(std::string path, Identity identity)
    : path_(std::move(path)), identity_(identity), renew_at_(kLong) {
  --identity_.generation;  // the one that begins now
  for (const char* suffix : {"", ".next"}) unlink((path_ + suffix).c_str());
  Renew();
}

AttemptLog::~AttemptLog() {
  if (fd_ >= 0) close(fd_);
}

Result<void> AttemptLog::Open(const AttemptOpened& attempt) {
  Opening opening{attempt.quota_group, attempt.model, attempt.at, Encode(attempt)};
  const threads::Lock lock(mutex_);
  const bool written = HasRoom() && WriteAll(fd_, opening.record, end_);
  const int error = errno;
  if (written) end_ += static_cast<std::int64_t>(opening.record.size());
  open_.insert_or_assign(attempt.attempt_id, std::move(opening));
  last_id_ = std::max(last_id_, attempt.attempt_id);
  if (written) return {};
  failed_ = true;
  return tl::unexpected(Trouble(path_, error));
}

const AttemptLog::Opening* AttemptLog::Find(std::int64_t attempt_id) const {
  const threads::Lock lock(mutex_);
  const auto found = open_.find(attempt_id);
  return found == open_.end() ? nullptr : &found->second;
}

void AttemptLog::Close(std::span<const std::int64_t> attempt_ids) {
  const threads::Lock lock(mutex_);
  for (const std::int64_t id : attempt_ids) open_.erase(id);
}

std::int64_t AttemptLog::last_id() const {
  const threads::Lock lock(mutex_);
  return last_id_;
}

bool AttemptLog::NeedsRenewal() const {
  if (failed_ || !in_place_) return true;
  const threads::Lock lock(mutex_);
  return end_ >= renew_at_;
}

bool AttemptLog::HasMoved() const { return FindInode(AT_FDCWD, path_.c_str()) != inode_; }

void AttemptLog::Renew() {
  if (in_place_) BeginNext();
  TakeItsPlace();
}

// False, with ENOSPC: too little space is left. What is reserved for this file says nothing of the
// database, whose pages a turn needs.
bool AttemptLog::HasRoom() {
  const auto now = std::chrono::steady_clock::now();
  if (now < room_until_) return true;
  struct statvfs disk {};
  if (fstatvfs(fd_, &disk) != 0) return true;
  const std::uint64_t room = disk.f_bavail * disk.f_frsize;
  if (room >= kAmpleRoom) room_until_ = now + kRoomLasts;
  if (room >= kLeastRoom) return true;
  errno = ENOSPC;
  return false;
}

// From here on the next generation is written, and until it has taken its place both are read.
void AttemptLog::BeginNext() {
  const std::string next = path_ + ".next";
  {
    const threads::Lock lock(mutex_);
    if (fd_ >= 0 && !HasRoom()) throw DatabaseError(Trouble(next, errno));
  }
  const int fd = open(next.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) throw DatabaseError(Trouble(next, errno));
  // Where that cannot be done, an append may fail that would not have.
  [[maybe_unused]] const int unreserved = posix_fallocate(fd, 0, kReserved);
  const Identity identity{identity_.database, identity_.generation + 1};
  std::string bytes;
  Append(&bytes, Header::Of(identity));
  const threads::Lock lock(mutex_);
  for (const auto& [id, opening] : open_) bytes += opening.record;
  if (!WriteAll(fd, bytes, 0)) {
    const Error error = Trouble(next, errno);
    close(fd);
    unlink(next.c_str());
    renew_at_ = end_ + kStep;
    throw DatabaseError(error);
  }
  if (fd_ >= 0) close(fd_);
  fd_ = fd;
  end_ = static_cast<std::int64_t>(bytes.size());
  renew_at_ = std::max(kLong, 2 * end_ + kStep);
  inode_ = FindInode(fd, "", AT_EMPTY_PATH);
  identity_ = identity;
  in_place_ = false;
  failed_ = false;
}

// Without the lock: the router thread does not wait for the disk.
void AttemptLog::Sync() {
  int fd = -1;
  {
    const threads::Lock lock(mutex_);
    fd = fd_;
  }
  if (fdatasync(fd) != 0 && errno != EINVAL) throw DatabaseError(Trouble(path_, errno));
}

void AttemptLog::TakeItsPlace() {
  const std::string next = path_ + ".next";
  Sync();
  if (rename(next.c_str(), path_.c_str()) != 0) {
    const int error = errno;
    if (error == ENOENT) in_place_ = true;  // somebody has deleted it: it is written again
    throw DatabaseError(Trouble(next, error));
  }
  in_place_ = true;
  storage::Sync(std::filesystem::path(path_).parent_path().string(), O_DIRECTORY);
}

std::vector<AttemptOpened> AttemptLog::Read(const std::string& path, const Identity& identity) {
  std::vector<AttemptOpened> all;
  ReadFile(path, identity, &all);
  ReadFile(path + ".next", identity, &all);
  std::stable_sort(all.begin(), all.end(), [](const AttemptOpened& a, const AttemptOpened& b) {
    return a.attempt_id < b.attempt_id;
  });
  const auto same = [](const AttemptOpened& a, const AttemptOpened& b) {
    return a.attempt_id == b.attempt_id;
  };
  all.erase(std::unique(all.begin(), all.end(), same), all.end());
  return all;
}

}  // namespace requestrouter::storage
