#include "storage/tables.h"

namespace requestrouter::storage {
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

}  // namespace requestrouter::storage
