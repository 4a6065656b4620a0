#include <cstring>

#include "storage/tables.h"

// Attempts that have ended, and those of which nobody knows how.
namespace requestrouter::storage {

std::unordered_set<std::int64_t> ReadClosings(Database& database) {
  Statement rows = database.Prepare(
      "SELECT attempt_ids FROM closings"
      " UNION ALL SELECT attempt_ids FROM pending_counts WHERE attempt_ids IS NOT NULL");
  std::unordered_set<std::int64_t> found;
  while (rows.Step()) {
    const std::string bytes = rows.Text(0);
    std::int64_t id = 0;
    for (std::size_t at = 0; at + sizeof id <= bytes.size(); at += sizeof id) {
      std::memcpy(&id, bytes.data() + at, sizeof id);
      found.insert(id);
    }
  }
  return found;
}

void SaveUnknown(Database& database, const UnknownAttempt& attempt) {
  const AttemptOpened& opened = attempt.opened;
  database
      .Prepare(
          "INSERT INTO unknown_attempts VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
          " ON CONFLICT DO NOTHING")
      .Bind(1, opened.attempt_id)
      .Bind(2, opened.uid)
      .Bind(3, std::string_view(opened.request_id))
      .BindBlob(4, opened.body_digest)
      .Bind(5, std::string_view(opened.conv_id))
      .Bind(6, std::string_view(opened.key_id))
      .Bind(7, std::string_view(opened.quota_group))
      .Bind(8, std::string_view(opened.model))
      .Bind(9, opened.at)
      .Bind(10, opened.input_tokens)
      .Bind(11, opened.output_tokens)
      .Bind(12, attempt.unknown_until)
      .Bind(13, opened.counted_tokens)
      .Run();
  if (database.changes() == 0) return;
  AddToMinute(database, {opened.quota_group, opened.model, opened.at, 1, opened.input_tokens,
                         opened.output_tokens, opened.counted_tokens});
}

std::vector<UnknownAttempt> ReadUnknown(Database& database, Millis now) {
  Statement rows = database.Prepare(
      "SELECT attempt_id, uid, request_id, body_digest, conv_id, key_id, quota_group, model, at,"
      " input_tokens, output_tokens, counted_tokens, unknown_until FROM unknown_attempts"
      " WHERE at >= ?1 OR unknown_until > ?2 ORDER BY attempt_id");
  rows.Bind(1, SecondsFrom(now)).Bind(2, now);
  std::vector<UnknownAttempt> found;
  while (rows.Step()) {
    found.push_back({{rows.Integer(0), static_cast<std::uint32_t>(rows.Integer(1)), rows.Text(2),
                      rows.Text(3), rows.Text(4), rows.Text(5), rows.Text(6), rows.Text(7),
                      rows.Integer(8), rows.Integer(9), rows.Integer(10), rows.Integer(11)},
                     rows.Integer(12)});
  }
  return found;
}

}  // namespace requestrouter::storage
