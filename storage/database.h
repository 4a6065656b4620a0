#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "storage/store.h"

struct sqlite3;
struct sqlite3_stmt;

// SQLite in RAII: connections, statements, transactions. Failures are thrown as DatabaseError
// inside of storage and become Result at the store's boundary.
namespace requestrouter::storage {

class LogVfs;

// A failed call of SQLite, with the code that says what to do about it.
class DatabaseError {
 public:
  DatabaseError(ErrorCode code, std::string message) : error_{code, std::move(message)} {}
  explicit DatabaseError(Error error) : error_(std::move(error)) {}
  const Error& error() const { return error_; }

 private:
  Error error_;
};

// An error that names the file and the remedy.
Error Describe(ErrorCode code, const std::string& path, const std::string& why);

// A prepared statement of its connection's cache, ready for the next use when this goes out of
// scope; one use of the same SQL at a time. Bind from 1, step, read columns from 0. What is bound
// is not copied: it outlives the use.
class Statement {
 public:
  ~Statement();
  Statement(Statement&& other) noexcept;
  Statement& operator=(Statement&&) = delete;

  Statement& Bind(int index, std::int64_t value);
  Statement& Bind(int index, std::string_view text);
  Statement& BindBlob(int index, std::string_view bytes);
  Statement& Bind(int index, const std::optional<std::string>& text);  // nullopt: NULL

  // True: a row is there. False: done.
  bool Step();
  // Runs to the end and makes the statement ready for the next use.
  void Run();
  void Reset();

  std::int64_t Integer(int column) const;
  std::string Text(int column) const;  // blobs too
  std::optional<std::string> OptionalText(int column) const;

 private:
  friend class Database;
  Statement(sqlite3* database, sqlite3_stmt* statement)
      : database_(database), statement_(statement) {}
  void Check(int code) const;
  sqlite3* database_;
  sqlite3_stmt* statement_;
};

// One connection. Not thread-safe: each thread has its own.
class Database {
 public:
  enum class Mode : std::uint8_t { kReadWrite, kReadOnly };

  // Sets what every connection needs (busy timeout, WAL, secure delete).
  Database(const std::string& path, Mode mode);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  // Prepared once for each text of `sql`.
  Statement Prepare(std::string_view sql);
  void Execute(const std::string& sql);
  std::int64_t QueryInteger(const std::string& sql);
  // Of the transactions that begin from now on: whether a commit waits for the disk, or leaves that
  // to the next one which does. For a connection that writes.
  void SetDurability(Durability durability);
  int changes() const;           // rows, by the last write
  std::int64_t last_id() const;  // of the row that was inserted last
  // In the log, as of this connection's last commit.
  int log_pages() const { return log_pages_; }
  // Throws what a call of SQLite on this connection has answered.
  [[noreturn]] void Throw(int sqlite_code) const;
  const std::string& path() const { return path_; }
  sqlite3* handle() const { return database_; }

 private:
  const std::string path_;
  std::unique_ptr<LogVfs> log_vfs_;  // null where it only reads
  sqlite3* database_ = nullptr;
  std::optional<Durability> durability_;
  int log_pages_ = 0;
  struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept {
      return std::hash<std::string_view>()(text);
    }
  };
  std::unordered_map<std::string, sqlite3_stmt*, TextHash, std::equal_to<>> statements_;
};

// Several reads of one state. Ends with this object.
class ReadTransaction {
 public:
  explicit ReadTransaction(Database& database);
  ~ReadTransaction();
  ReadTransaction(const ReadTransaction&) = delete;
  ReadTransaction& operator=(const ReadTransaction&) = delete;

 private:
  Database& database_;
};

// A transaction that is rolled back unless committed. BEGIN IMMEDIATE: a read transaction that
// upgrades later would fail at once where another connection has written.
class Transaction {
 public:
  explicit Transaction(Database& database);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  void Commit();

 private:
  Database& database_;
  bool open_ = true;
};

// One write within a transaction: undone alone unless kept.
class Savepoint {
 public:
  explicit Savepoint(Database& database);
  ~Savepoint();
  Savepoint(const Savepoint&) = delete;
  Savepoint& operator=(const Savepoint&) = delete;
  void Keep();

 private:
  Database& database_;
  bool open_ = true;
};

}  // namespace requestrouter::storage
