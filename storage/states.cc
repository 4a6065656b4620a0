#include "storage/session.h"
#include "storage/tables.h"

namespace requestrouter::storage {

namespace {

// As long as their longest reader looks back (journal.cc), with room to spare.
constexpr Millis kSeconds = 15 * 60'000;
constexpr Millis kMinutes = 30 * 3'600'000LL;

}  // namespace

void SaveKeyState(Database& database, const KeyState& state) {
  database
      .Prepare(state.disabled_by_operator
                   ? "INSERT INTO disabled_keys VALUES (?) ON CONFLICT DO NOTHING"
                   : "DELETE FROM disabled_keys WHERE key_id = ?")
      .Bind(1, std::string_view(state.key_id))
      .Run();
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
  Statement rows = database.Prepare(
      "SELECT key_id, state, until, reason, source, strikes,"
      " key_id IN (SELECT key_id FROM disabled_keys) FROM key_states");
  std::vector<KeyState> states;
  while (rows.Step()) {
    states.push_back({rows.Text(0), rows.Text(1), rows.Integer(2), rows.Text(3), rows.Text(4),
                      rows.Integer(5), rows.Integer(6) != 0});
  }
  return states;
}

namespace {

bool InsertResult(Database& database, const StoredResult& result) {
  database
      .Prepare(
          "INSERT INTO results (uid, request_id, body_digest, expires_at, reply)"
          " VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING")
      .Bind(1, result.uid)
      .Bind(2, std::string_view(result.request_id))
      .BindBlob(3, result.body_digest)
      .Bind(4, result.expires_at)
      .BindBlob(5, result.reply)
      .Run();
  return database.changes() > 0;
}

// One of the same id that has expired, or is of another body.
bool DeleteOtherResult(Database& database, const StoredResult& result, Millis now) {
  database
      .Prepare(
          "DELETE FROM results WHERE uid = ? AND request_id = ?"
          " AND (body_digest != ? OR expires_at <= ?)")
      .Bind(1, result.uid)
      .Bind(2, std::string_view(result.request_id))
      .BindBlob(3, result.body_digest)
      .Bind(4, now)
      .Run();
  return database.changes() > 0;
}

}  // namespace

bool SaveResult(Database& database, const StoredResult& result, Millis now) {
  if (InsertResult(database, result)) return true;
  return DeleteOtherResult(database, result, now) && InsertResult(database, result);
}

Result<StoredResult> ReadResult(Database& database, std::uint32_t uid,
                                const std::string& request_id, Millis now) {
  Statement find = database.Prepare(
      "SELECT body_digest, reply, expires_at FROM results WHERE uid = ? AND request_id = ?"
      " AND expires_at > ?");
  find.Bind(1, uid).Bind(2, std::string_view(request_id)).Bind(3, now);
  if (!find.Step()) {
    return tl::unexpected(Error{ErrorCode::kNotFound, "no result of \"" + request_id + '"'});
  }
  return StoredResult{uid, request_id, find.Text(0), find.Text(1), find.Integer(2)};
}

std::vector<StoredResult> ReadResultIds(Database& database, Millis now, std::int64_t most) {
  Statement rows = database.Prepare(
      "SELECT uid, request_id, body_digest, expires_at FROM results"
      " WHERE expires_at > ?1 AND id > (SELECT max(id) FROM results) - ?2 ORDER BY id");
  rows.Bind(1, now).Bind(2, most);
  std::vector<StoredResult> found;
  while (rows.Step()) {
    found.push_back({static_cast<std::uint32_t>(rows.Integer(0)), rows.Text(1), rows.Text(2), "",
                     rows.Integer(3)});
  }
  return found;
}

// No more than `limit` rows of each large table are looked at, in the order in which they expire.
Written SweepExpired(Database& database, const Sweep& sweep, std::int64_t most_results) {
  Written written;
  const auto remove = [&](const char* sql, std::int64_t bound) {
    database.Prepare(sql).Bind(1, bound).Bind(2, sweep.limit).Run();
    written.count += database.changes();
  };
  remove(
      "DELETE FROM conversations WHERE id IN"
      " (SELECT id FROM conversations WHERE sweep_at <= ?1 ORDER BY sweep_at LIMIT ?2)"
      " AND expires_at <= ?1",
      sweep.now);
  remove(
      "UPDATE conversations SET sweep_at = expires_at WHERE id IN"
      " (SELECT id FROM conversations WHERE sweep_at <= ?1 ORDER BY sweep_at LIMIT ?2)"
      " AND expires_at > ?1",
      sweep.now);
  remove(
      "DELETE FROM results WHERE id IN (SELECT id FROM results ORDER BY id LIMIT ?2)"
      " AND expires_at <= ?1",
      sweep.now);
  remove(
      "DELETE FROM results WHERE id IN (SELECT id FROM results"
      " WHERE id <= (SELECT max(id) FROM results) - ?1 ORDER BY id LIMIT ?2)",
      most_results);
  remove(
      "DELETE FROM quota_seconds WHERE second <="
      " (SELECT max(second) FROM (SELECT second FROM quota_seconds WHERE second <= ?"
      " ORDER BY second LIMIT ?))",
      sweep.now - kSeconds);
  remove(
      "DELETE FROM quota_minutes WHERE minute <="
      " (SELECT max(minute) FROM (SELECT minute FROM quota_minutes WHERE minute <= ?"
      " ORDER BY minute LIMIT ?))",
      sweep.now - kMinutes);
  database.Prepare("DELETE FROM unknown_attempts WHERE at <= ? AND unknown_until <= ?")
      .Bind(1, sweep.now - kSeconds)
      .Bind(2, sweep.now)
      .Run();
  written.count += database.changes();
  NoteSeen(database, sweep.now);
  return written;
}

}  // namespace requestrouter::storage
