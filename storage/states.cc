#include "storage/tables.h"

namespace requestrouter::storage {

namespace {

// Journal rows are kept for the windows (ten minutes) and, while open, for those who ask again with
// the id of a request whose outcome is unknown (two days).
constexpr Millis kClosedAttempts = 15 * 60'000;
constexpr Millis kOpenAttempts = 48 * 3'600'000LL;

}  // namespace

void SaveKeyState(Database& database, const KeyState& state) {
  database.Prepare("INSERT OR REPLACE INTO key_states VALUES (?, ?, ?, ?, ?, ?)")
      .Bind(1, std::string_view(state.key_id))
      .Bind(2, std::string_view(state.state))
      .Bind(3, state.until)
      .Bind(4, std::string_view(state.reason))
      .Bind(5, std::string_view(state.source))
      .Bind(6, state.strikes)
      .Run();
}

std::vector<KeyState> ReadKeyStates(Database& database) {
  Statement rows =
      database.Prepare("SELECT key_id, state, until, reason, source, strikes FROM key_states");
  std::vector<KeyState> states;
  while (rows.Step()) {
    states.push_back(
        {rows.Text(0), rows.Text(1), rows.Integer(2), rows.Text(3), rows.Text(4), rows.Integer(5)});
  }
  return states;
}

bool SaveResult(Database& database, const StoredResult& result, const std::string& conv_id,
                Millis now) {
  database
      .Prepare(
          "INSERT INTO results VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
          " body_digest = excluded.body_digest, reply = excluded.reply,"
          " expires_at = excluded.expires_at, conv_id = excluded.conv_id"
          " WHERE body_digest != excluded.body_digest OR expires_at <= ?7")
      .Bind(1, result.uid)
      .Bind(2, std::string_view(result.request_id))
      .BindBlob(3, result.body_digest)
      .BindBlob(4, result.reply)
      .Bind(5, result.expires_at)
      .Bind(6, std::string_view(conv_id))
      .Bind(7, now)
      .Run();
  return database.changes() > 0;
}

StoredResult ReadResult(Database& database, std::uint32_t uid, const std::string& request_id,
                        Millis now) {
  Statement find = database.Prepare(
      "SELECT body_digest, reply, expires_at FROM results WHERE uid = ? AND request_id = ?"
      " AND expires_at > ?");
  find.Bind(1, uid).Bind(2, std::string_view(request_id)).Bind(3, now);
  if (!find.Step()) throw DatabaseError(ErrorCode::kNotFound, "no result of \"" + request_id + '"');
  return {uid, request_id, find.Text(0), find.Text(1), find.Integer(2)};
}

std::vector<StoredResult> ReadResultIds(Database& database, Millis now, std::int64_t most) {
  Statement rows = database.Prepare(
      "SELECT * FROM (SELECT uid, request_id, body_digest, expires_at FROM results"
      " WHERE expires_at > ? ORDER BY expires_at DESC LIMIT ?) ORDER BY expires_at");
  rows.Bind(1, now).Bind(2, most);
  std::vector<StoredResult> found;
  while (rows.Step()) {
    found.push_back({static_cast<std::uint32_t>(rows.Integer(0)), rows.Text(1), rows.Text(2), "",
                     rows.Integer(3)});
  }
  return found;
}

Written SweepExpired(Database& database, const Sweep& sweep, std::int64_t most_results) {
  Written written;
  const auto remove = [&](const std::string& sql, std::int64_t bound) {
    database.Prepare(sql).Bind(1, bound).Bind(2, sweep.limit).Run();
    written.count += database.changes();
  };
  remove(
      "DELETE FROM conversations WHERE id IN"
      " (SELECT id FROM conversations WHERE expires_at <= ? LIMIT ?)",
      sweep.now);
  remove(
      "DELETE FROM results WHERE rowid IN"
      " (SELECT rowid FROM results WHERE expires_at <= ? LIMIT ?)",
      sweep.now);
  remove(
      "DELETE FROM results WHERE rowid IN (SELECT rowid FROM results ORDER BY expires_at"
      " LIMIT max(0, min(?2, (SELECT count(*) FROM results) - ?1)))",
      most_results);
  remove(
      "DELETE FROM attempts WHERE attempt_id IN"
      " (SELECT attempt_id FROM attempts WHERE closed = 1 AND at <= ? LIMIT ?)",
      sweep.now - kClosedAttempts);
  remove(
      "DELETE FROM attempts WHERE attempt_id IN"
      " (SELECT attempt_id FROM attempts WHERE at <= ? LIMIT ?)",
      sweep.now - kOpenAttempts);
  remove("DELETE FROM quota_hours WHERE hour <= ?1 AND ?2 > 0", sweep.now - 2 * kOpenAttempts);
  return written;
}

}  // namespace requestrouter::storage
