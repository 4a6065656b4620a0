#include "tests/bench/router/bare_store.h"

#include <chrono>
#include <stdexcept>

#include "storage/database.h"
#include "storage/schema.h"

namespace requestrouter::bench {
namespace {

constexpr std::int64_t kHourMs = 3'600'000;
constexpr std::int64_t kDayMs = 24 * kHourMs;
constexpr std::int64_t kResultMs = 600'000;

void Bind(sqlite3_stmt* statement, int index, std::string_view text) {
  sqlite3_bind_text64(statement, index, text.data(), text.size(), SQLITE_STATIC, SQLITE_UTF8);
}

void Bind(sqlite3_stmt* statement, int index, std::int64_t value) {
  sqlite3_bind_int64(statement, index, value);
}

std::string PathIn(const std::string& directory) {
  std::string path = directory + "/bare.db";
  storage::Database database(path, storage::Database::Mode::kReadWrite);
  storage::Migrate(database);
  return path;
}

}  // namespace

BareStore::BareStore(const std::string& directory) {
  Check(sqlite3_open_v2(PathIn(directory).c_str(), &database_,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr));
  Check(sqlite3_exec(database_, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL", nullptr,
                     nullptr, nullptr));
  begin_ = Prepare("BEGIN IMMEDIATE");
  commit_ = Prepare("COMMIT");
  conversation_ = Prepare(
      "INSERT INTO conversations (uid, conv_id, created_at, updated_at, expires_at, message_count,"
      " next_seq, total_tokens, last_model, last_key_id, user_id, sweep_at)"
      " VALUES (0, ?1, ?2, ?2, ?3, 2, 2, ?4, 'gpt-5-mini', 'k1', '', ?3)"
      " ON CONFLICT (uid, conv_id) DO UPDATE SET updated_at = ?2, expires_at = ?3,"
      " message_count = message_count + 2, next_seq = next_seq + 2,"
      " total_tokens = total_tokens + ?4 RETURNING id, next_seq");
  message_ = Prepare(
      "INSERT INTO messages VALUES ((?1 << 24) + ?2, ?3, ?4, x'', ?5, ?6, 'gpt-5-mini', 'k1', 0)");
  usage_ = Prepare(
      "INSERT INTO usage VALUES (?1, 0, '', '', 'k1', 'gpt-5-mini', 1, 0, ?2, ?3, 0, 0)"
      " ON CONFLICT DO UPDATE SET requests = requests + 1, input_tokens = input_tokens + ?2,"
      " output_tokens = output_tokens + ?3");
  result_ = Prepare(
      "INSERT INTO results (uid, request_id, conv_id, body_digest, reply, expires_at)"
      " VALUES (0, ?1, ?4, zeroblob(16), ?2, ?3)");
}

BareStore::~BareStore() {
  for (sqlite3_stmt* statement : statements_) sqlite3_finalize(statement);
  sqlite3_close(database_);
}

void BareStore::Commit(const std::vector<BareTurn>& turns) {
  const auto now = std::chrono::duration_cast<std::chrono::milliseconds>(
                       std::chrono::system_clock::now().time_since_epoch())
                       .count();
  Step(begin_);
  for (const BareTurn& turn : turns) Write(turn, now);
  Step(commit_);
}

void BareStore::Write(const BareTurn& turn, std::int64_t now) {
  Bind(conversation_, 1, turn.conv_id);
  Bind(conversation_, 2, now);
  Bind(conversation_, 3, now + kDayMs);
  Bind(conversation_, 4, turn.input_tokens + turn.output_tokens);
  sqlite3_step(conversation_);
  const std::int64_t conversation = sqlite3_column_int64(conversation_, 0);
  const std::int64_t next_seq = sqlite3_column_int64(conversation_, 1);
  Step(conversation_);

  Bind(message_, 1, conversation);
  Bind(message_, 2, next_seq - 2);
  Bind(message_, 3, "user");
  Bind(message_, 4, turn.prompt);
  Bind(message_, 5, now);
  Bind(message_, 6, turn.input_tokens);
  Step(message_);
  Bind(message_, 2, next_seq - 1);
  Bind(message_, 3, "assistant");
  Bind(message_, 4, turn.answer);
  Bind(message_, 6, turn.output_tokens);
  Step(message_);

  Bind(usage_, 1, now / kHourMs);
  Bind(usage_, 2, turn.input_tokens);
  Bind(usage_, 3, turn.output_tokens);
  Step(usage_);

  Bind(result_, 1, turn.request_id);
  sqlite3_bind_blob64(result_, 2, turn.reply.data(), turn.reply.size(), SQLITE_STATIC);
  Bind(result_, 3, now + kResultMs);
  Bind(result_, 4, turn.conv_id);
  Step(result_);
}

sqlite3_stmt* BareStore::Prepare(const char* sql) {
  sqlite3_stmt* statement = nullptr;
  Check(sqlite3_prepare_v3(database_, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr));
  statements_.push_back(statement);
  return statement;
}

// Runs to the end and makes it ready for the next use.
void BareStore::Step(sqlite3_stmt* statement) const {
  int code = SQLITE_ROW;
  while (code == SQLITE_ROW) code = sqlite3_step(statement);
  Check(code == SQLITE_DONE ? SQLITE_OK : code);
  sqlite3_reset(statement);
}

void BareStore::Check(int code) const {
  if (code == SQLITE_OK) return;
  throw std::runtime_error(database_ ? sqlite3_errmsg(database_) : sqlite3_errstr(code));
}

}  // namespace requestrouter::bench
