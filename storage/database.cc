#include "storage/database.h"

#include <sqlite3.h>

#include <utility>

#include "storage/log_vfs.h"

namespace requestrouter::storage {
namespace {

ErrorCode CodeOf(int sqlite_code) {
  switch (sqlite_code & 0xFF) {
    case SQLITE_FULL:
      return ErrorCode::kFull;
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_CANTOPEN:
      return ErrorCode::kReadOnly;
    case SQLITE_IOERR:
      return ErrorCode::kIo;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return ErrorCode::kCorrupt;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return ErrorCode::kLocked;
    default:
      return ErrorCode::kInternal;
  }
}

const char* Remedy(ErrorCode code) {
  switch (code) {
    case ErrorCode::kFull:
      return "; free space on its disk";
    case ErrorCode::kReadOnly:
      return "; make the state directory writable for routerd's user, or choose another "
             "--state-dir";
    case ErrorCode::kIo:
      return "; look at the disk's health (dmesg)";
    case ErrorCode::kCorrupt:
      return "; restore a backup (routerctl restore FILE), or move the file away to begin anew";
    case ErrorCode::kLocked:
      return "; another process holds it: stop that one";
    default:
      return "";
  }
}

[[noreturn]] void Throw(sqlite3* database, const std::string& path, int code) {
  const ErrorCode kind = CodeOf(code);
  const char* why = database ? sqlite3_errmsg(database) : sqlite3_errstr(code);
  throw DatabaseError(Describe(kind, path, why));
}

int NotePages(void* log_pages, sqlite3*, const char*, int pages) noexcept {
  *static_cast<int*>(log_pages) = pages;
  return SQLITE_OK;
}

std::string PathOf(sqlite3* database) {
  const char* path = sqlite3_db_filename(database, "main");
  return path ? path : "database";
}

}  // namespace

Error Describe(ErrorCode code, const std::string& path, const std::string& why) {
  return {code, path + ": " + why + Remedy(code)};
}

// ---- Statement

Statement::Statement(Statement&& other) noexcept
    : database_(other.database_), statement_(std::exchange(other.statement_, nullptr)) {}

Statement::~Statement() {
  if (statement_) Reset();
}

void Statement::Check(int code) const {
  if (code != SQLITE_OK) Throw(database_, PathOf(database_), code);
}

Statement& Statement::Bind(int index, std::int64_t value) {
  Check(sqlite3_bind_int64(statement_, index, value));
  return *this;
}

Statement& Statement::Bind(int index, std::string_view text) {
  Check(sqlite3_bind_text64(statement_, index, text.data() ? text.data() : "", text.size(),
                            SQLITE_STATIC, SQLITE_UTF8));
  return *this;
}

Statement& Statement::BindBlob(int index, std::string_view bytes) {
  Check(sqlite3_bind_blob64(statement_, index, bytes.data() ? bytes.data() : "", bytes.size(),
                            SQLITE_STATIC));
  return *this;
}

Statement& Statement::Bind(int index, const std::optional<std::string>& text) {
  if (text) return Bind(index, std::string_view(*text));
  Check(sqlite3_bind_null(statement_, index));
  return *this;
}

bool Statement::Step() {
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  const int extended = sqlite3_extended_errcode(database_);
  Reset();
  Throw(database_, PathOf(database_), extended);
}

void Statement::Run() {
  while (Step()) {
  }
  Reset();
}

void Statement::Reset() {
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
}

std::int64_t Statement::Integer(int column) const {
  return sqlite3_column_int64(statement_, column);
}

std::string Statement::Text(int column) const {
  const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement_, column));
  const int size = sqlite3_column_bytes(statement_, column);
  return bytes ? std::string(bytes, static_cast<std::size_t>(size)) : std::string();
}

std::optional<std::string> Statement::OptionalText(int column) const {
  if (sqlite3_column_type(statement_, column) == SQLITE_NULL) return std::nullopt;
  return Text(column);
}

// ---- Database

Database::Database(const std::string& path, Mode mode) : path_(path) {
  if (mode == Mode::kReadWrite) log_vfs_ = std::make_unique<LogVfs>();
  const int flags = (mode == Mode::kReadWrite ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
                                              : SQLITE_OPEN_READONLY) |
                    SQLITE_OPEN_NOMUTEX;
  const int code =
      sqlite3_open_v2(path.c_str(), &database_, flags, log_vfs_ ? log_vfs_->name() : nullptr);
  if (code != SQLITE_OK) {
    sqlite3_close(std::exchange(database_, nullptr));
    storage::Throw(nullptr, path_, code);
  }
  sqlite3_extended_result_codes(database_, 1);
  sqlite3_busy_timeout(database_, 2'000);
  try {
    if (mode == Mode::kReadWrite) {
      Execute("PRAGMA journal_mode = WAL");
      Execute("PRAGMA secure_delete = ON");
      Execute("PRAGMA wal_autocheckpoint = 0");  // the writer checkpoints when it is idle
      sqlite3_wal_hook(database_, NotePages, &log_pages_);
      Execute("PRAGMA journal_size_limit = 16777216");  // the WAL shrinks again after a long reader
      SetDurability(Durability::kFull);
    }
  } catch (...) {
    sqlite3_close(std::exchange(database_, nullptr));
    throw;
  }
}

Database::~Database() {
  for (const auto& [sql, statement] : statements_) sqlite3_finalize(statement);
  sqlite3_close(database_);
}

Statement Database::Prepare(std::string_view sql) {
  const auto known = statements_.find(sql);
  if (known != statements_.end()) return Statement(database_, known->second);
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v3(database_, sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (code != SQLITE_OK) Throw(code);
  statements_.emplace(sql, statement);
  return Statement(database_, statement);
}

void Database::Execute(const std::string& sql) {
  const int code = sqlite3_exec(database_, sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) Throw(code);
}

std::int64_t Database::QueryInteger(const std::string& sql) {
  Statement statement = Prepare(sql);
  return statement.Step() ? statement.Integer(0) : 0;
}

// FULL syncs the log at every commit, NORMAL only at checkpoints
// (https://sqlite.org/pragma.html#pragma_synchronous).
void Database::SetDurability(Durability durability) {
  if (durability == durability_) return;
  const bool sync = durability == Durability::kFull;
  Execute(sync ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
  log_vfs_->Gather(sync);
  durability_ = durability;
}

void Database::Throw(int sqlite_code) const { storage::Throw(database_, path_, sqlite_code); }

int Database::changes() const { return sqlite3_changes(database_); }

std::int64_t Database::last_id() const { return sqlite3_last_insert_rowid(database_); }

// ---- transactions

ReadTransaction::ReadTransaction(Database& database) : database_(database) {
  database_.Prepare("BEGIN").Run();
}

// Nothing was written, so nothing can be lost where this fails.
ReadTransaction::~ReadTransaction() {
  if (sqlite3_get_autocommit(database_.handle())) return;  // an error may have ended it
  sqlite3_exec(database_.handle(), "ROLLBACK", nullptr, nullptr, nullptr);
}

Transaction::Transaction(Database& database) : database_(database) {
  database_.Prepare("BEGIN IMMEDIATE").Run();
}

Transaction::~Transaction() {
  if (!open_ || sqlite3_get_autocommit(database_.handle())) return;  // it may have rolled back
  sqlite3_exec(database_.handle(), "ROLLBACK", nullptr, nullptr, nullptr);
}

void Transaction::Commit() {
  database_.Prepare("COMMIT").Run();
  open_ = false;
}

Savepoint::Savepoint(Database& database) : database_(database) {
  database_.Prepare("SAVEPOINT write").Run();
}

Savepoint::~Savepoint() {
  if (!open_ || sqlite3_get_autocommit(database_.handle())) return;
  sqlite3_exec(database_.handle(), "ROLLBACK TO write; RELEASE write", nullptr, nullptr, nullptr);
}

void Savepoint::Keep() {
  database_.Prepare("RELEASE write").Run();
  open_ = false;
}

}  // namespace requestrouter::storage
