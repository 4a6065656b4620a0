#include <unistd.h>

#include <filesystem>
#include <system_error>

#include "storage/crash_point.h"
#include "storage/schema.h"
#include "storage/tables.h"

namespace requestrouter::storage {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void Refuse(const std::string& path, const std::string& why) {
  throw DatabaseError(ErrorCode::kInvalid, path + ": " + why);
}

// A private copy of the backup, which may be migrated; gone with this object.
class Copy {
 public:
  Copy(const std::string& backup, const std::string& directory)
      : path_(directory + "/restore.partial") {
    Remove();
    std::error_code error;
    if (!fs::is_regular_file(backup, error)) {
      throw DatabaseError(ErrorCode::kNotFound, backup + ": there is no such backup file");
    }
    fs::copy_file(backup, path_, error);
    if (!error) return;
    Remove();
    const bool full = error == std::errc::no_space_on_device;
    throw DatabaseError(full ? ErrorCode::kFull : ErrorCode::kReadOnly,
                        backup + " could not be copied to " + path_ + ": " + error.message());
  }
  ~Copy() { Remove(); }
  Copy(const Copy&) = delete;
  Copy& operator=(const Copy&) = delete;

  const std::string& path() const { return path_; }

 private:
  void Remove() {
    for (const char* suffix : {"", "-wal", "-shm"}) unlink((path_ + suffix).c_str());
  }
  const std::string path_;
};

// Backups may come from anywhere: only a whole database of ours is let near the real one.
void CheckAndPrepare(const std::string& backup, const Copy& copy) {
  try {
    Database database(copy.path(), Database::Mode::kReadWrite);
    if (database.QueryInteger("PRAGMA user_version") == 0)
      Refuse(backup, "is no backup of routerd");
    const std::vector<std::string> damage = FindDamage(database, CheckDepth::kQuick);
    if (!damage.empty()) Refuse(backup, "the backup is damaged: " + damage.front());
    Migrate(database);
    Transaction transaction(database);
    AddUpPending(database);
    transaction.Commit();
  } catch (const DatabaseError& error) {
    switch (error.error().code) {
      case ErrorCode::kCorrupt:
        Refuse(backup, "is no backup of routerd, or is damaged");
      case ErrorCode::kNewerSchema:
        Refuse(backup, "was made by a later version of routerd; restore it with that one");
      default:
        throw;
    }
  }
}

class Attached {
 public:
  Attached(Database& database, const std::string& path) : database_(database) {
    database_.Prepare("ATTACH ? AS backup").Bind(1, std::string_view(path)).Run();
  }
  ~Attached() {
    try {
      database_.Execute("DETACH backup");
    } catch (const DatabaseError&) {
      // It goes with the connection.
    }
  }
  Attached(const Attached&) = delete;
  Attached& operator=(const Attached&) = delete;

 private:
  Database& database_;
};

constexpr const char* kReplace = R"sql(
DELETE FROM main.conversations;
DELETE FROM main.usage;
INSERT INTO main.conversations
    (id, uid, conv_id, system_prompt, created_at, updated_at, expires_at, message_count, next_seq,
     total_tokens, last_model, last_key_id, user_id)
  SELECT id, uid, conv_id, system_prompt, created_at, updated_at, expires_at, message_count,
         next_seq, total_tokens, last_model, last_key_id, user_id
  FROM backup.conversations;
INSERT INTO main.messages
    (id, role, text, payload, at, tokens, model, key_id, result_id)
  SELECT id, role, text, payload, at, tokens, model, key_id, result_id
  FROM backup.messages;
INSERT INTO main.usage
    (hour, uid, agent, user_id, key_id, model, requests, errors, input_tokens, output_tokens,
     cached_tokens, cost_nano_usd)
  SELECT hour, uid, agent, user_id, key_id, model, requests, errors, input_tokens, output_tokens,
         cached_tokens, cost_nano_usd
  FROM backup.usage;
)sql";

}  // namespace

Written RestoreBackup(Database& database, const Restore& restore, const std::string& directory) {
  const Copy copy(restore.path, directory);
  CheckAndPrepare(restore.path, copy);
  const Attached attached(database, copy.path());
  Transaction transaction(database);
  AddUpPending(database);
  database.Execute(kReplace);
  database
      .Prepare(
          "UPDATE main.conversations SET expires_at = max(expires_at, ?1 + expires_at - "
          "updated_at),"
          " sweep_at = max(expires_at, ?1 + expires_at - updated_at)")
      .Bind(1, restore.now)
      .Run();
  const Written written{database.QueryInteger("SELECT count(*) FROM main.conversations"),
                        database.QueryInteger("SELECT count(*) FROM main.messages")};
  CrashPoint("restoring");
  transaction.Commit();
  return written;
}

}  // namespace requestrouter::storage
