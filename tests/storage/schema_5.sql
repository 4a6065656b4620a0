-- A database as schema 5 had it, with data in every table: what migrations are tested with. Opened
-- at 1800000000000. Never changed: a later schema gets a file of its own.
PRAGMA journal_mode = WAL;
CREATE TABLE closings (
  id          INTEGER PRIMARY KEY,
  attempt_ids BLOB NOT NULL
) STRICT;
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
  user_id       TEXT    NOT NULL, sweep_at INTEGER NOT NULL DEFAULT 0,
  UNIQUE (uid, conv_id)
) STRICT;
CREATE TABLE disabled_keys (key_id TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
CREATE TABLE key_states (
  key_id  TEXT PRIMARY KEY,
  state   TEXT    NOT NULL,
  until   INTEGER NOT NULL,
  reason  TEXT    NOT NULL,
  source  TEXT    NOT NULL,
  strikes INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE "messages" (
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
CREATE TABLE quota_seconds (
  second        INTEGER NOT NULL,
  quota_group   TEXT    NOT NULL,
  model         TEXT    NOT NULL,
  requests      INTEGER NOT NULL,
  input_tokens  INTEGER NOT NULL,
  output_tokens INTEGER NOT NULL, counted_tokens INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (second, quota_group, model)
) STRICT, WITHOUT ROWID;
CREATE TABLE "results" (
  id          INTEGER PRIMARY KEY,
  uid         INTEGER NOT NULL,
  request_id  TEXT    NOT NULL,
  conv_id     TEXT    NOT NULL,
  body_digest BLOB    NOT NULL,
  expires_at  INTEGER NOT NULL,
  reply       BLOB    NOT NULL
) STRICT;
CREATE TABLE session (
  one     INTEGER PRIMARY KEY CHECK (one = 1),
  boot_id TEXT    NOT NULL,
  clean   INTEGER NOT NULL
, log_id          INTEGER NOT NULL DEFAULT 0, log_generation  INTEGER NOT NULL DEFAULT 0, last_attempt_id INTEGER NOT NULL DEFAULT 0, seen_at         INTEGER NOT NULL DEFAULT 0) STRICT;
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
, counted_tokens INTEGER NOT NULL DEFAULT 0) STRICT;
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
CREATE INDEX conversations_by_sweep ON conversations (sweep_at);
CREATE TRIGGER conversation_deleted AFTER DELETE ON conversations BEGIN
  DELETE FROM messages WHERE id >= old.id << 24 AND id < (old.id + 1) << 24;
END;
PRAGMA user_version = 5;

-- What a daemon of schema 5 left: as in schema_3.sql.
INSERT INTO "closings" VALUES(1,X'2900000000000000');
INSERT INTO "conversations" VALUES(1,1000,'talk','be brief',1799999990000,1799999999000,1800086399000,4,4,20,'flash','k1','ada',1800086399000);
INSERT INTO "conversations" VALUES(2,1000,'other',NULL,1799999990000,1799999999000,1800086399000,0,0,0,'','','',1800086399000);
INSERT INTO "key_states" VALUES('k1','cooling',1800000060000,'429','RetryInfo',2);
INSERT INTO "messages" VALUES(16777216,'user','one',X'',1799999990000,0,'','',0);
INSERT INTO "messages" VALUES(16777217,'assistant','answer to one',X'',1799999990000,5,'flash','k1',0);
INSERT INTO "messages" VALUES(16777218,'user','two',X'00FF',1799999999000,0,'','',1);
INSERT INTO "messages" VALUES(16777219,'assistant','answer to two',X'',1799999999000,5,'flash','k1',0);
INSERT INTO "quota_minutes" VALUES(1799999940000,'group','flash',3,17,60,77);
INSERT INTO "quota_seconds" VALUES(1799999999000,'group','flash',1,5,5,10);
INSERT INTO "results" VALUES(1,1000,'done','talk',X'01',1800000500000,X'85');
INSERT INTO "session" VALUES(1,'boot',0,77,5,42,1799999999000);
INSERT INTO "unknown_attempts" VALUES(42,1000,'lost',X'02','talk','k1','group','flash',1799999999500,7,50,1800000600000,57);
INSERT INTO "usage" VALUES(1799996400000,1000,'coder','ada','k1','flash',2,0,10,10,0,70);
