#include "storage/tables.h"

namespace requestrouter::storage {

bool SaveResult(Database& database, const StoredResult& result) {
  database.Prepare("INSERT INTO results VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING")
      .Bind(1, result.id)
      .Bind(2, result.uid)
      .Bind(3, std::string_view(result.request_id))
      .Bind(4, std::string_view(result.conv_id))
      .BindBlob(5, result.body_digest)
      .Bind(6, result.expires_at)
      .BindBlob(7, result.reply)
      .Run();
  return database.changes() > 0;
}

Result<StoredResult> ReadResult(Database& database, std::int64_t id, std::uint32_t uid,
                                const std::string& request_id, Millis now) {
  Statement find = database.Prepare(
      "SELECT conv_id, body_digest, reply, expires_at FROM results"
      " WHERE id = ? AND uid = ? AND request_id = ? AND expires_at > ?");
  find.Bind(1, id).Bind(2, uid).Bind(3, std::string_view(request_id)).Bind(4, now);
  if (!find.Step()) {
    return tl::unexpected(Error{ErrorCode::kNotFound, "no result of \"" + request_id + '"'});
  }
  return StoredResult{id,           uid,          request_id,     find.Text(0),
                      find.Text(1), find.Text(2), find.Integer(3)};
}

std::vector<StoredResult> ReadResultIds(Database& database, Millis now, std::int64_t most) {
  Statement rows = database.Prepare(
      "SELECT id, uid, request_id, body_digest, expires_at FROM results"
      " WHERE expires_at > ?1 AND id > (SELECT max(id) FROM results) - ?2 ORDER BY id");
  rows.Bind(1, now).Bind(2, most);
  std::vector<StoredResult> found;
  while (rows.Step()) {
    found.push_back({rows.Integer(0), static_cast<std::uint32_t>(rows.Integer(1)), rows.Text(2), "",
                     rows.Text(3), "", rows.Integer(4)});
  }
  return found;
}

}  // namespace requestrouter::storage
