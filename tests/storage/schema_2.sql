-- A database as schema 1 had it, with data in every table: what migrations are tested with. Opened
-- at 1800000000000. Never changed: a later schema gets a file of its own.
PRAGMA journal_mode = WAL;
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
ALTER TABLE attempts ADD COLUMN unknown_until INTEGER NOT NULL DEFAULT 0;
ALTER TABLE results ADD COLUMN conv_id TEXT NOT NULL DEFAULT '';
CREATE INDEX results_by_conversation ON results (uid, conv_id) WHERE conv_id != '';
CREATE TABLE session (
  one     INTEGER PRIMARY KEY CHECK (one = 1),
  boot_id TEXT    NOT NULL,
  clean   INTEGER NOT NULL
) STRICT;
PRAGMA user_version = 2;

-- What a daemon of schema 2 left: a conversation with two turns, usage, an attempt that it closed,
-- one that it did not see the end of, a cooling key, a result, and no clean end.
INSERT INTO conversations VALUES
  (1, 1000, 'talk', 'be brief', 1799999990000, 1799999999000, 1800086399000, 4, 4, 20, 'flash',
   'k1', 'ada'),
  (2, 1000, 'other', NULL, 1799999990000, 1799999999000, 1800086399000, 0, 0, 0, '', '', '');
INSERT INTO messages VALUES
  (1, 0, 'user', 'one', x'', 1799999990000, 0, '', ''),
  (1, 1, 'assistant', 'answer to one', x'', 1799999990000, 5, 'flash', 'k1'),
  (1, 2, 'user', 'two', x'00ff', 1799999999000, 0, '', ''),
  (1, 3, 'assistant', 'answer to two', x'', 1799999999000, 5, 'flash', 'k1');
INSERT INTO usage VALUES
  (1799996400000, 1000, 'coder', 'ada', 'k1', 'flash', 2, 0, 10, 10, 0, 70);
INSERT INTO attempts VALUES
  (41, 1000, 'done', x'01', 'talk', 'k1', 'group', 'flash', 1799999999000, 'boot', 1, 1, 5, 5, 0),
  (42, 1000, 'lost', x'02', 'talk', 'k1', 'group', 'flash', 1799999999500, 'boot', 0, 1, 7, 50, 0);
INSERT INTO quota_hours VALUES (1799996400000, 'group', 'flash', 3, 17, 60);
INSERT INTO key_states VALUES ('k1', 'cooling', 1800000060000, '429', 'RetryInfo', 2);
INSERT INTO results VALUES (1000, 'done', x'01', x'85', 1800000500000, 'talk');
INSERT INTO session VALUES (1, 'boot', 0);
