#include "storage/schema.h"

#include <array>

#include "storage/crash_point.h"

namespace requestrouter::storage {
namespace {

// Instants are milliseconds since the Unix epoch. A migration that has shipped is never changed.
constexpr std::array<const char*, 2> kMigrations = {
    // 1: conversations, accounting, the journal of attempts, key states, results
    R"sql(
CREATE TABLE conversations (
  id            INTEGER PRIMARY KEY,
  uid           INTEGER NOT NULL,
  conv_id       TEXT    NOT NULL,
  system_prompt TEXT,
  created_at    INTEGER NOT NULL,
  updated_at    INTEGER NOT NULL,
  expires_at    INTEGER NOT NULL,
  message_count INTEGER NOT NULL,
  next_seq      INTEGER NOT NULL,
  total_tokens  INTEGER NOT NULL,
  last_model    TEXT    NOT NULL,
  last_key_id   TEXT    NOT NULL,
  user_id       TEXT    NOT NULL,
  UNIQUE (uid, conv_id)
) STRICT;
CREATE INDEX conversations_by_expiry ON conversations (expires_at);

CREATE TABLE messages (
  conversation INTEGER NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
  seq          INTEGER NOT NULL,
  role         TEXT    NOT NULL,
  text         TEXT    NOT NULL,
  payload      BLOB    NOT NULL,
  at           INTEGER NOT NULL,
  tokens       INTEGER NOT NULL,
  model        TEXT    NOT NULL,
  key_id       TEXT    NOT NULL,
  PRIMARY KEY (conversation, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE usage (
  hour          INTEGER NOT NULL,
  uid           INTEGER NOT NULL,
  agent         TEXT    NOT NULL,
  user_id       TEXT    NOT NULL,
  key_id        TEXT    NOT NULL,
  model         TEXT    NOT NULL,
  requests      INTEGER NOT NULL,
  errors        INTEGER NOT NULL,
  input_tokens  INTEGER NOT NULL,
  output_tokens INTEGER NOT NULL,
  cached_tokens INTEGER NOT NULL,
  cost_nano_usd INTEGER NOT NULL,
  PRIMARY KEY (hour, uid, agent, user_id, key_id, model)
) STRICT, WITHOUT ROWID;

-- What was sent: `closed` 0 while the outcome is not known. AUTOINCREMENT: ids are never used again.
CREATE TABLE attempts (
  attempt_id    INTEGER PRIMARY KEY AUTOINCREMENT,
  uid           INTEGER NOT NULL,
  request_id    TEXT    NOT NULL,
  body_digest   BLOB    NOT NULL,
  conv_id       TEXT    NOT NULL,
  key_id        TEXT    NOT NULL,
  quota_group   TEXT    NOT NULL,
  model         TEXT    NOT NULL,
  at            INTEGER NOT NULL,
  boot_id       TEXT    NOT NULL,
  closed        INTEGER NOT NULL DEFAULT 0,
  counted       INTEGER NOT NULL DEFAULT 1,
  input_tokens  INTEGER NOT NULL,
  output_tokens INTEGER NOT NULL
) STRICT;
CREATE INDEX attempts_by_time ON attempts (at);
CREATE INDEX attempts_open ON attempts (attempt_id) WHERE closed = 0;

-- Requests and tokens of each quota group's model in each hour: the day quotas.
CREATE TABLE quota_hours (
  hour          INTEGER NOT NULL,
  quota_group   TEXT    NOT NULL,
  model         TEXT    NOT NULL,
  requests      INTEGER NOT NULL,
  input_tokens  INTEGER NOT NULL,
  output_tokens INTEGER NOT NULL,
  PRIMARY KEY (hour, quota_group, model)
) STRICT, WITHOUT ROWID;

CREATE TABLE key_states (
  key_id  TEXT PRIMARY KEY,
  state   TEXT    NOT NULL,
  until   INTEGER NOT NULL,
  reason  TEXT    NOT NULL,
  source  TEXT    NOT NULL,
  strikes INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE results (
  uid         INTEGER NOT NULL,
  request_id  TEXT    NOT NULL,
  body_digest BLOB    NOT NULL,
  reply       BLOB    NOT NULL,
  expires_at  INTEGER NOT NULL,
  PRIMARY KEY (uid, request_id)
) STRICT;
CREATE INDEX results_by_expiry ON results (expires_at);
)sql",
    // 2: unknown outcomes (attempts.closed = 2) are remembered for a time; results go with their
    // conversation; whether the last daemon closed the database
    R"sql(
ALTER TABLE attempts ADD COLUMN unknown_until INTEGER NOT NULL DEFAULT 0;
ALTER TABLE results ADD COLUMN conv_id TEXT NOT NULL DEFAULT '';
CREATE INDEX results_by_conversation ON results (uid, conv_id) WHERE conv_id != '';
CREATE TABLE session (
  one     INTEGER PRIMARY KEY CHECK (one = 1),
  boot_id TEXT    NOT NULL,
  clean   INTEGER NOT NULL
) STRICT;
)sql"};

}  // namespace

int SchemaVersion() { return static_cast<int>(kMigrations.size()); }

void Migrate(Database& database, int up_to) {
  const auto version = static_cast<int>(database.QueryInteger("PRAGMA user_version"));
  if (version > SchemaVersion()) {
    throw DatabaseError(ErrorCode::kNewerSchema,
                        database.path() + ": written by a later version of routerd (schema " +
                            std::to_string(version) + ", this one knows " +
                            std::to_string(SchemaVersion()) +
                            "); install that version, or choose another --state-dir");
  }
  for (int next = version; next < up_to; ++next) {
    Transaction transaction(database);
    database.Execute(kMigrations.at(static_cast<std::size_t>(next)));
    database.Execute("PRAGMA user_version = " + std::to_string(next + 1));
    CrashPoint("migrating");
    transaction.Commit();
  }
}

}  // namespace requestrouter::storage
