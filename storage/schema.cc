#include "storage/schema.h"

#include <array>

#include "storage/crash_point.h"

namespace requestrouter::storage {
namespace {

// Instants are milliseconds since the Unix epoch. A migration that has shipped is never changed.
constexpr std::array<const char*, 6> kMigrations = {
    // 1: conversations, accounting, attempts, key states, results
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
)sql",
    // 3: open attempts are in a file of their own (attempt_log.h), closed ones in sums a second;
    // results and conversations expire without an index that every turn has to keep
    R"sql(
-- `log_`: the identity of the attempt log, and the first generation that counts. `seen_at`: an
-- instant that had come when it was written.
ALTER TABLE session ADD COLUMN log_id          INTEGER NOT NULL DEFAULT 0;
ALTER TABLE session ADD COLUMN log_generation  INTEGER NOT NULL DEFAULT 0;
ALTER TABLE session ADD COLUMN last_attempt_id INTEGER NOT NULL DEFAULT 0;
ALTER TABLE session ADD COLUMN seen_at         INTEGER NOT NULL DEFAULT 0;
UPDATE session SET last_attempt_id =
  (SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'attempts');

-- Attempts that were opened in the present generation of the attempt log, and have ended: those of
-- each transaction, as 64-bit numbers.
CREATE TABLE closings (
  id          INTEGER PRIMARY KEY,
  attempt_ids BLOB NOT NULL
) STRICT;

-- Attempts that a daemon did not see the end of. `unknown_until` -1: found so by a migration.
CREATE TABLE unknown_attempts (
  attempt_id    INTEGER PRIMARY KEY,
  uid           INTEGER NOT NULL,
  request_id    TEXT    NOT NULL,
  body_digest   BLOB    NOT NULL,
  conv_id       TEXT    NOT NULL,
  key_id        TEXT    NOT NULL,
  quota_group   TEXT    NOT NULL,
  model         TEXT    NOT NULL,
  at            INTEGER NOT NULL,
  input_tokens  INTEGER NOT NULL,
  output_tokens INTEGER NOT NULL,
  unknown_until INTEGER NOT NULL
) STRICT;
INSERT INTO unknown_attempts
  SELECT attempt_id, uid, request_id, body_digest, conv_id, key_id, quota_group, model, at,
         input_tokens, output_tokens, CASE closed WHEN 0 THEN -1 ELSE unknown_until END
  FROM attempts WHERE closed != 1;

-- As quota_hours, for the windows below a day.
CREATE TABLE quota_seconds (
  second        INTEGER NOT NULL,
  quota_group   TEXT    NOT NULL,
  model         TEXT    NOT NULL,
  requests      INTEGER NOT NULL,
  input_tokens  INTEGER NOT NULL,
  output_tokens INTEGER NOT NULL,
  PRIMARY KEY (second, quota_group, model)
) STRICT, WITHOUT ROWID;
INSERT INTO quota_seconds
  SELECT at - at % 1000, quota_group, model, count(*), sum(input_tokens), sum(output_tokens)
  FROM attempts WHERE closed = 1 AND counted = 1 GROUP BY 1, 2, 3;
DROP TABLE attempts;

-- All live equally long, so the order of `id` is nearly that of their expiry. `reply` is last, so
-- that reading what is before it reads no page of it. Which of them belong to a conversation, its
-- messages say.
CREATE TABLE new_results (
  id          INTEGER PRIMARY KEY,
  uid         INTEGER NOT NULL,
  request_id  TEXT    NOT NULL,
  body_digest BLOB    NOT NULL,
  expires_at  INTEGER NOT NULL,
  reply       BLOB    NOT NULL,
  UNIQUE (uid, request_id)
) STRICT;
INSERT INTO new_results (uid, request_id, body_digest, expires_at, reply)
  SELECT uid, request_id, body_digest, expires_at, reply FROM results ORDER BY expires_at;
DROP TABLE results;
ALTER TABLE new_results RENAME TO results;
ALTER TABLE messages ADD COLUMN request_id TEXT NOT NULL DEFAULT '';

-- When to look whether it has expired; turns that make it live longer leave this as it is.
ALTER TABLE conversations ADD COLUMN sweep_at INTEGER NOT NULL DEFAULT 0;
UPDATE conversations SET sweep_at = expires_at;
DROP INDEX conversations_by_expiry;
CREATE INDEX conversations_by_sweep ON conversations (sweep_at);
)sql",
    // 4: what counts against limits of tokens, which for some providers is more than what was used;
    // that an operator disabled a key is kept apart from how the key does; minutes instead of hours
    R"sql(
-- Of what is there the rule is not known. The sum is the most that it can be, unless the provider
-- counts output that was only allowed for.
ALTER TABLE quota_seconds    ADD COLUMN counted_tokens INTEGER NOT NULL DEFAULT 0;
ALTER TABLE unknown_attempts ADD COLUMN counted_tokens INTEGER NOT NULL DEFAULT 0;
UPDATE quota_seconds    SET counted_tokens = input_tokens + output_tokens;
UPDATE unknown_attempts SET counted_tokens = input_tokens + output_tokens;

-- Requests and tokens of each quota group's model in each minute: for windows of a day, and those
-- that are longer than quota_seconds lives. Of an hour it is not known when: its last minute is of
-- the same day and counts longest.
CREATE TABLE quota_minutes (
  minute         INTEGER NOT NULL,
  quota_group    TEXT    NOT NULL,
  model          TEXT    NOT NULL,
  requests       INTEGER NOT NULL,
  input_tokens   INTEGER NOT NULL,
  output_tokens  INTEGER NOT NULL,
  counted_tokens INTEGER NOT NULL,
  PRIMARY KEY (minute, quota_group, model)
) STRICT, WITHOUT ROWID;
INSERT INTO quota_minutes
  SELECT hour + 59 * 60000, quota_group, model, requests, input_tokens, output_tokens,
         input_tokens + output_tokens
  FROM quota_hours;
DROP TABLE quota_hours;

-- By operators. Each has a row in key_states, too.
CREATE TABLE disabled_keys (key_id TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
INSERT INTO disabled_keys
  SELECT key_id FROM key_states WHERE state = 'disabled' AND source = 'operator';
UPDATE key_states SET state = 'ready', until = 0, reason = '', source = ''
  WHERE key_id IN (SELECT key_id FROM disabled_keys);
)sql",
    // 5: a turn changes fewer pages: long messages have no page of their own, and results no index
    R"sql(
-- In the order of their conversations: `id` is the conversation's, then the place in it.
-- `result_id`: the result that repeats this message; 0: none.
CREATE TABLE new_messages (
  id           INTEGER PRIMARY KEY,
  role         TEXT    NOT NULL,
  text         TEXT    NOT NULL,
  payload      BLOB    NOT NULL,
  at           INTEGER NOT NULL,
  tokens       INTEGER NOT NULL,
  model        TEXT    NOT NULL,
  key_id       TEXT    NOT NULL,
  result_id    INTEGER NOT NULL,
  conversation INTEGER GENERATED ALWAYS AS (id >> 24),
  seq          INTEGER GENERATED ALWAYS AS (id & 16777215)
) STRICT;
INSERT INTO new_messages
  SELECT conversation << 24 | seq, role, text, payload, at, tokens, model, key_id,
         CASE request_id WHEN '' THEN 0 ELSE coalesce(
           (SELECT results.id FROM results JOIN conversations USING (uid)
            WHERE conversations.id = messages.conversation
              AND results.request_id = messages.request_id), 0) END
  FROM messages ORDER BY conversation, seq;
DROP TABLE messages;
ALTER TABLE new_messages RENAME TO messages;
CREATE TRIGGER conversation_deleted AFTER DELETE ON conversations BEGIN
  DELETE FROM messages WHERE id >= old.id << 24 AND id < (old.id + 1) << 24;
END;

-- Whose they are the daemon keeps in memory, by their ids, which it gives: each larger than those
-- that are there. An id may be used again when its result has expired, so who deletes those of a
-- conversation looks at conv_id, too. All live equally long, so the order of `id` is nearly that of
-- their expiry. `reply` is last, so that reading what is before it reads no page of it.
CREATE TABLE new_results (
  id          INTEGER PRIMARY KEY,
  uid         INTEGER NOT NULL,
  request_id  TEXT    NOT NULL,
  conv_id     TEXT    NOT NULL,
  body_digest BLOB    NOT NULL,
  expires_at  INTEGER NOT NULL,
  reply       BLOB    NOT NULL
) STRICT;
INSERT INTO new_results
  SELECT results.id, results.uid, results.request_id, coalesce(conversations.conv_id, ''),
         results.body_digest, results.expires_at, results.reply
  FROM results
    LEFT JOIN (SELECT result_id, max(conversation) AS conversation FROM messages
               WHERE result_id != 0 GROUP BY result_id) ON result_id = results.id
    LEFT JOIN conversations ON conversations.id = conversation
  ORDER BY results.id;
DROP TABLE results;
ALTER TABLE new_results RENAME TO results;
)sql",
    // 6: a turn changes one page of counters instead of four
    R"sql(
-- What transactions add to quota_seconds, quota_minutes and closings (those rows have attempt_ids,
-- and a second's `start`) and to usage (an hour's), until it is added there, many at a time.
CREATE TABLE pending_counts (
  id             INTEGER PRIMARY KEY,
  start          INTEGER NOT NULL,
  model          TEXT    NOT NULL,
  requests       INTEGER NOT NULL,
  input_tokens   INTEGER NOT NULL,
  output_tokens  INTEGER NOT NULL,
  attempt_ids    BLOB,
  quota_group    TEXT    NOT NULL DEFAULT '',
  counted_tokens INTEGER NOT NULL DEFAULT 0,
  uid            INTEGER NOT NULL DEFAULT 0,
  agent          TEXT    NOT NULL DEFAULT '',
  user_id        TEXT    NOT NULL DEFAULT '',
  key_id         TEXT    NOT NULL DEFAULT '',
  errors         INTEGER NOT NULL DEFAULT 0,
  cached_tokens  INTEGER NOT NULL DEFAULT 0,
  cost_nano_usd  INTEGER NOT NULL DEFAULT 0
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
