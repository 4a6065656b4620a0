#include <sqlite3.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <variant>

#include "storage/database.h"
#include "storage/schema.h"
#include "tests/bench/storage/load.h"

namespace requestrouter::bench {
namespace {

// The log is copied back when it has so many pages, as a careful loop would do it.
constexpr int kPagesOfLog = 4'000;

using Field = std::variant<std::int64_t, std::string_view>;

// SQLite's calls and nothing else; the schema is the daemon's.
class Raw {
 public:
  Raw(const std::string& path, bool full) : full_(full) {
    {
      storage::Database made(path, storage::Database::Mode::kReadWrite);
      storage::Migrate(made);
    }
    Check(sqlite3_open_v2(path.c_str(), &database_, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX,
                          nullptr));
    Execute("PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON; PRAGMA wal_autocheckpoint = 0");
    sqlite3_wal_hook(database_, NotePages, &pages_);
  }
  ~Raw() {
    for (sqlite3_stmt* statement : statements_) sqlite3_finalize(statement);
    sqlite3_close(database_);
  }
  Raw(const Raw&) = delete;
  Raw& operator=(const Raw&) = delete;

  sqlite3_stmt* Prepare(const char* sql) {
    sqlite3_stmt* statement = nullptr;
    Check(sqlite3_prepare_v3(database_, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr));
    statements_.push_back(statement);
    return statement;
  }
  // The first column of the first row, where there is one.
  template <std::size_t N>
  std::int64_t Run(sqlite3_stmt* statement, const std::array<Field, N>& fields) {
    for (std::size_t i = 0; i < N; ++i) Bind(statement, static_cast<int>(i) + 1, fields[i]);
    std::int64_t first = 0;
    for (int code = SQLITE_ROW; (code = sqlite3_step(statement)) != SQLITE_DONE;) {
      if (code != SQLITE_ROW) Check(code);
      first = sqlite3_column_int64(statement, 0);
    }
    sqlite3_reset(statement);
    return first;
  }
  void Begin(bool sync) {
    Execute(sync && full_ ? "PRAGMA synchronous = FULL; BEGIN IMMEDIATE"
                          : "PRAGMA synchronous = NORMAL; BEGIN IMMEDIATE");
  }
  void Commit() {
    Execute("COMMIT");
    if (pages_ < kPagesOfLog) return;
    sqlite3_wal_checkpoint_v2(database_, nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
  }

 private:
  static int NotePages(void* pages, sqlite3*, const char*, int count) {
    *static_cast<int*>(pages) = count;
    return SQLITE_OK;
  }
  void Bind(sqlite3_stmt* statement, int index, const Field& field) {
    if (const auto* number = std::get_if<std::int64_t>(&field)) {
      sqlite3_bind_int64(statement, index, *number);
    } else {
      const auto text = std::get<std::string_view>(field);
      sqlite3_bind_text(statement, index, text.data(), static_cast<int>(text.size()),
                        SQLITE_STATIC);
    }
  }
  void Execute(const char* sql) { Check(sqlite3_exec(database_, sql, nullptr, nullptr, nullptr)); }
  void Check(int code) {
    if (code == SQLITE_OK) return;
    std::fprintf(stderr, "storage_bench: %s\n", sqlite3_errmsg(database_));
    std::abort();
  }

  const bool full_;
  sqlite3* database_ = nullptr;
  std::vector<sqlite3_stmt*> statements_;
  int pages_ = 0;
};

// The rows that storage writes for a turn.
class Turns {
 public:
  explicit Turns(Raw& raw) : raw_(raw) {}

  void Finish(std::int64_t number) {
    const storage::AttemptOpened a = OpenedOf(number);
    const storage::Finish finish = FinishOf(number);
    const storage::AttemptClosed& closed = *finish.attempt;
    Count(seconds_, a.at - a.at % 1'000, a, closed);
    Count(minutes_, a.at - a.at % 60'000, a, closed);
    const storage::StoredResult& result = *finish.result;
    raw_.Run<7>(result_, {result.id, std::int64_t{result.uid}, result.request_id, result.conv_id,
                          result.body_digest, result.expires_at, result.reply});
    Append(*finish.turn, result.id);
    const storage::Usage& u = finish.usage.front();
    raw_.Run<9>(usage_, {u.at - u.at % 3'600'000, std::int64_t{u.uid}, u.agent, u.key_id, u.model,
                         u.requests, u.input_tokens, u.output_tokens, u.cost_nano_usd});
  }

 private:
  void Count(sqlite3_stmt* add, std::int64_t start, const storage::AttemptOpened& a,
             const storage::AttemptClosed& closed) {
    raw_.Run<7>(add, {start, a.quota_group, a.model, std::int64_t{1}, closed.input_tokens,
                      closed.output_tokens, closed.counted_tokens});
  }

  void Append(const storage::Turn& turn, std::int64_t result_id) {
    std::int64_t id = raw_.Run<2>(find_, {std::int64_t{turn.uid}, turn.conv_id});
    if (id == 0) {
      id = raw_.Run<5>(create_,
                       {std::int64_t{turn.uid}, turn.conv_id, turn.at, turn.at, turn.expires_at});
    }
    std::int64_t seq = raw_.Run<1>(next_, {id});
    for (const storage::StoredMessage& m : turn.messages) {
      raw_.Run<9>(message_,
                  {id, seq++, m.role, m.text, m.at, m.tokens, m.model, m.key_id, result_id});
    }
    raw_.Run<8>(update_, {turn.at, turn.expires_at, std::int64_t{2}, seq, turn.total_tokens,
                          turn.model, turn.key_id, id});
  }

  sqlite3_stmt* PrepareCount(const std::string& table) {
    return raw_.Prepare(("INSERT INTO " + table +
                         " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
                         " requests = requests + excluded.requests, input_tokens = input_tokens +"
                         " excluded.input_tokens, output_tokens = output_tokens +"
                         " excluded.output_tokens, counted_tokens = counted_tokens +"
                         " excluded.counted_tokens")
                            .c_str());
  }

  Raw& raw_;
  sqlite3_stmt* const seconds_ = PrepareCount("quota_seconds");
  sqlite3_stmt* const minutes_ = PrepareCount("quota_minutes");
  sqlite3_stmt* const result_ = raw_.Prepare(
      "INSERT OR REPLACE INTO results VALUES (?, ?, ?, ?, CAST(? AS BLOB), ?, CAST(? AS BLOB))");
  sqlite3_stmt* const find_ =
      raw_.Prepare("SELECT id FROM conversations WHERE uid = ? AND conv_id = ?");
  sqlite3_stmt* const next_ = raw_.Prepare("SELECT next_seq FROM conversations WHERE id = ?");
  sqlite3_stmt* const create_ = raw_.Prepare(
      "INSERT INTO conversations (uid, conv_id, created_at, updated_at, expires_at, message_count,"
      " next_seq, total_tokens, last_model, last_key_id, user_id, sweep_at)"
      " VALUES (?1, ?2, ?3, ?4, ?5, 0, 0, 0, '', '', '', ?5) RETURNING id");
  sqlite3_stmt* const message_ =
      raw_.Prepare("INSERT INTO messages VALUES ((? << 24) + ?, ?, ?, x'', ?, ?, ?, ?, ?)");
  sqlite3_stmt* const update_ = raw_.Prepare(
      "UPDATE conversations SET updated_at = ?, expires_at = ?, message_count = message_count + ?,"
      " next_seq = ?, total_tokens = total_tokens + ?, last_model = ?, last_key_id = ?"
      " WHERE id = ?");
  sqlite3_stmt* const usage_ = raw_.Prepare(
      "INSERT INTO usage VALUES (?, ?, ?, '', ?, ?, ?, 0, ?, ?, 0, ?) ON CONFLICT DO UPDATE SET"
      " requests = requests + excluded.requests, input_tokens = input_tokens +"
      " excluded.input_tokens, output_tokens = output_tokens + excluded.output_tokens,"
      " cost_nano_usd = cost_nano_usd + excluded.cost_nano_usd");
};

}  // namespace

Measured RunRaw(const std::string& directory, storage::Durability durability, int callers,
                std::chrono::milliseconds length) {
  Raw raw(directory + "/raw.db", durability == storage::Durability::kFull);
  Turns turns(raw);
  Stopwatch watch(length);
  for (std::int64_t first = 1; watch.running(); first += callers) {
    const auto asked = Stopwatch::Clock::now();
    raw.Begin(true);
    for (int i = 0; i < callers; ++i) turns.Finish(first + i);
    raw.Commit();
    for (int i = 0; i < callers; ++i) watch.Turn(asked);
  }
  return watch.Result();
}

}  // namespace requestrouter::bench
