#include "storage/sqlite_store.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

#include "storage/attempt_log.h"
#include "storage/conversation_filter.h"
#include "storage/database.h"
#include "storage/files.h"
#include "storage/reader.h"
#include "storage/schema.h"
#include "storage/session.h"
#include "storage/tables.h"
#include "storage/writer.h"

namespace requestrouter::storage {
namespace {

constexpr const char* kFile = "requestrouter.db";

// The folder, for one process at a time: two writers would each believe that they own the quota.
class Directory {
 public:
  explicit Directory(const std::string& path) {
    std::error_code error;
    std::filesystem::create_directories(path, error);
    const std::string lock = path + "/lock";
    fd_ = open(lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd_ < 0) {
      throw DatabaseError(ErrorCode::kReadOnly,
                          "cannot write in " + path + ": " + std::strerror(errno) +
                              "; make it writable for routerd's user, or choose another"
                              " --state-dir");
    }
    if (flock(fd_, LOCK_EX | LOCK_NB) != 0) {
      close(fd_);
      throw DatabaseError(ErrorCode::kLocked, "another routerd uses " + path +
                                                  "; stop it, or choose another --state-dir");
    }
  }
  ~Directory() { close(fd_); }
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;

 private:
  int fd_ = -1;
};

class SqliteStore final : public Store {
 public:
  // The umask of 077 gives all of SQLite's files, -wal and -shm too, to the owner alone.
  explicit SqliteStore(const SqliteOptions& options)
      : previous_umask_(umask(077)),
        directory_(options.directory),
        path_(options.directory + "/" + kFile),
        most_results_(options.most_results) {
    AdoptCopy(path_);
    auto database = std::make_unique<Database>(path_, Database::Mode::kReadWrite);
    Migrate(*database);
    const std::string log_path = path_ + "-attempts";
    session_ = BeginSession(*database, log_path, options.now, options.unknown_for);
    attempts_ = std::make_unique<AttemptLog>(log_path, session_.log);
    // After the writing connection, which has recovered the log where that was needed.
    reader_ = std::make_unique<Reader>(path_, opening_, Reader::Kind::kQuick, "reader");
    copier_ = std::make_unique<Reader>(path_, opening_, Reader::Kind::kSlow, "copier");
    writer_ = std::make_unique<Writer>(
        Writer::Options{options.directory, path_, options.durability, most_results_,
                        [this] { ++opening_; }, options.on_commit},
        std::move(database), *attempts_);
    LoadConversations();
  }

  ~SqliteStore() override {
    // The last connection that closes copies the WAL back and removes it, and only one that may
    // write can. What the writer does last may ask the reader.
    writer_->Stop();
    copier_.reset();
    reader_.reset();
    writer_.reset();
    umask(previous_umask_);
  }

  Result<Recovered> Recover(Millis now) override {
    try {
      Database database(path_, Database::Mode::kReadOnly);
      Recovered recovered;
      recovered.keys = ReadKeyStates(database);
      recovered.unknown = ReadUnknown(database, now);
      recovered.seconds = ReadSeconds(database, now);
      recovered.seconds_from = SecondsFrom(now);
      recovered.minutes = ReadMinutes(database, now);
      ReadResults(database, now, &recovered);
      recovered.last_attempt_id = session_.last_attempt_id;
      recovered.unclean = session_.last.unclean;
      recovered.other_boot = session_.last.other_boot;
      return recovered;
    } catch (const DatabaseError& error) {
      return tl::unexpected(error.error());
    }
  }

  Result<void> OpenAttempt(const AttemptOpened& attempt) override {
    Result<void> opened = attempts_->Open(attempt);
    if (!opened || writer_->healthy()) return opened;
    return tl::unexpected(Error{ErrorCode::kIo, path_ + ": the last write failed"});
  }

  void Submit(Write write, Durability durability, Done<Written> done) override {
    if (const auto* finish = std::get_if<std::shared_ptr<const Finish>>(&write)) {
      if (const auto& turn = (*finish)->turn) conversations_.Add(turn->uid, turn->conv_id);
    } else if (std::holds_alternative<Restore>(write)) {
      conversations_.BeginLoading();
      done = [this, done = std::move(done)](Result<Written> written) {
        LoadConversations();
        done(std::move(written));
      };
    }
    writer_->Submit(std::move(write), durability, std::move(done));
  }

  bool MayHaveConversation(std::uint32_t uid, std::string_view conv_id) const override {
    return conversations_.MayHold(uid, conv_id);
  }

  void GetConversation(std::uint32_t uid, std::string conv_id, Millis now,
                       std::optional<std::int64_t> limit, Done<Conversation> done) override {
    Read<Conversation>(*reader_, std::move(done),
                       [=, conv_id = std::move(conv_id)](Database& database) {
                         return ReadConversation(database, uid, conv_id, now, limit);
                       });
  }

  void ListConversations(std::uint32_t uid, std::string prefix, std::string user_id,
                         std::string after, std::int64_t limit, Millis now,
                         Done<std::vector<ConversationInfo>> done) override {
    Read<std::vector<ConversationInfo>>(
        *reader_, std::move(done),
        [=, prefix = std::move(prefix), user_id = std::move(user_id),
         after = std::move(after)](Database& database) {
          return ReadConversations(database, uid, prefix, user_id, after, limit, now);
        });
  }

  void QueryUsage(UsageQuery query, Done<std::vector<UsageRow>> done) override {
    Submit(Flush{}, Durability::kProcess,
           [this, query, done = std::move(done)](const Result<Written>&) mutable {
             Read<std::vector<UsageRow>>(*reader_, std::move(done), [=](Database& database) {
               return ReadUsage(database, query);
             });
           });
  }

  void GetResult(std::int64_t id, std::uint32_t uid, std::string request_id, Millis now,
                 Done<StoredResult> done) override {
    Read<StoredResult>(*reader_, std::move(done),
                       [=, request_id = std::move(request_id)](Database& database) {
                         return ReadResult(database, id, uid, request_id, now);
                       });
  }

  void BackUp(std::string path, Done<Written> done) override {
    Read<Written>(*copier_, std::move(done), [path = std::move(path)](Database& database) {
      if (path.empty() || path.front() != '/') {
        throw DatabaseError(ErrorCode::kInvalid,
                            "a backup needs an absolute path, is \"" + path + '"');
      }
      CopyDatabase(database, path);
      std::error_code ignored;
      return Written{static_cast<std::int64_t>(std::filesystem::file_size(path, ignored)), 0};
    });
  }

  void Check(CheckDepth depth, Done<std::vector<std::string>> done) override {
    Read<std::vector<std::string>>(*copier_, std::move(done), [this, depth](Database& database) {
      std::vector<std::string> damage = FindDamage(database, depth);
      damaged_ = !damage.empty();
      return damage;
    });
  }

  void Measure(Done<Size> done) override {
    Read<Size>(*reader_, std::move(done), [](Database& database) { return ReadSize(database); });
  }

  bool healthy() const override { return writer_->healthy() && !attempts_->failed() && !damaged_; }

 private:
  // Those of a database that cannot be read are looked for one by one.
  void LoadConversations() {
    copier_->Submit([this](Result<Database*> database) {
      try {
        if (!database) return;
        ForEachConversation(**database, [this](std::uint32_t uid, const std::string& conv_id) {
          conversations_.Add(uid, conv_id);
        });
        conversations_.EndLoading();
      } catch (const DatabaseError&) {
        // The check tells of it.
      }
    });
  }

  // Where they are damaged, who asks again is answered anew: no reason not to start. New ids are
  // then larger than all that were ever given, which count from 1.
  void ReadResults(Database& database, Millis now, Recovered* recovered) {
    try {
      recovered->last_result_id = database.QueryInteger("SELECT max(id) FROM results");
      recovered->results = ReadResultIds(database, now, most_results_);
    } catch (const DatabaseError& error) {
      if (error.error().code != ErrorCode::kCorrupt) throw;
      damaged_ = true;
      recovered->last_result_id = std::max(recovered->last_result_id, now);
      recovered->results.clear();
    }
  }

  template <typename T, typename Query>
  void Read(Reader& reader, Done<T> done, Query query) {
    reader.Submit([done = std::move(done), query = std::move(query)](Result<Database*> database) {
      Result<T> result = tl::unexpected(database ? Error{} : database.error());
      try {
        if (database) result = query(**database);
      } catch (const DatabaseError& error) {
        result = tl::unexpected(error.error());
      }
      done(std::move(result));
    });
  }

  const mode_t previous_umask_;
  const Directory directory_;
  const std::string path_;
  const std::int64_t most_results_;
  Session session_;
  std::atomic<bool> damaged_{false};
  std::atomic<int> opening_{0};
  ConversationFilter conversations_;
  std::unique_ptr<AttemptLog> attempts_;
  std::unique_ptr<Reader> reader_;
  std::unique_ptr<Reader> copier_;  // for what takes long: backups, checks, names
  std::unique_ptr<Writer> writer_;
};

}  // namespace

Result<std::unique_ptr<Store>> OpenSqliteStore(const SqliteOptions& options) {
  try {
    return std::make_unique<SqliteStore>(options);
  } catch (const DatabaseError& error) {
    return tl::unexpected(error.error());
  }
}

}  // namespace requestrouter::storage
