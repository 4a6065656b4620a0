#include "storage/tables.h"

namespace requestrouter::storage {
namespace {

constexpr Millis kHour = 3'600'000;

// The longest window that a provider counts in below a day, with room to spare.
constexpr Millis kWindows = 10 * 60'000;
constexpr Millis kDays = 48 * kHour;

// attempts.closed
constexpr std::int64_t kClosed = 1;

// Adds to an hour's count; negative numbers take away.
void Count(Database& database, const std::string& quota_group, const std::string& model, Millis at,
           std::int64_t requests, std::int64_t input_tokens, std::int64_t output_tokens) {
  database
      .Prepare(
          "INSERT INTO quota_hours VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
          " requests = requests + excluded.requests,"
          " input_tokens = input_tokens + excluded.input_tokens,"
          " output_tokens = output_tokens + excluded.output_tokens")
      .Bind(1, at - at % kHour)
      .Bind(2, std::string_view(quota_group))
      .Bind(3, std::string_view(model))
      .Bind(4, requests)
      .Bind(5, input_tokens)
      .Bind(6, output_tokens)
      .Run();
}

}  // namespace

void OpenAttempt(Database& database, const AttemptOpened& attempt, const std::string& boot_id) {
  database
      .Prepare(
          "INSERT INTO attempts (attempt_id, uid, request_id, body_digest, conv_id, key_id,"
          " quota_group, model, at, boot_id, input_tokens, output_tokens)"
          " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
      .Bind(1, attempt.attempt_id)
      .Bind(2, attempt.uid)
      .Bind(3, std::string_view(attempt.request_id))
      .BindBlob(4, attempt.body_digest)
      .Bind(5, std::string_view(attempt.conv_id))
      .Bind(6, std::string_view(attempt.key_id))
      .Bind(7, std::string_view(attempt.quota_group))
      .Bind(8, std::string_view(attempt.model))
      .Bind(9, attempt.at)
      .Bind(10, std::string_view(boot_id))
      .Bind(11, attempt.input_tokens)
      .Bind(12, attempt.output_tokens)
      .Run();
  Count(database, attempt.quota_group, attempt.model, attempt.at, 1, attempt.input_tokens,
        attempt.output_tokens);
}

void CloseAttempt(Database& database, const AttemptClosed& attempt) {
  Statement find = database.Prepare(
      "SELECT quota_group, model, at, input_tokens, output_tokens FROM attempts"
      " WHERE attempt_id = ? AND closed = 0");
  find.Bind(1, attempt.attempt_id);
  if (!find.Step()) return;  // its opening was never written, or it is closed already
  const std::int64_t input = attempt.counted ? attempt.input_tokens : 0;
  const std::int64_t output = attempt.counted ? attempt.output_tokens : 0;
  Count(database, find.Text(0), find.Text(1), find.Integer(2), attempt.counted ? 0 : -1,
        input - find.Integer(3), output - find.Integer(4));
  find.Reset();
  database
      .Prepare(
          "UPDATE attempts SET closed = 1, counted = ?, input_tokens = ?, output_tokens = ?"
          " WHERE attempt_id = ?")
      .Bind(1, attempt.counted ? 1 : 0)
      .Bind(2, input)
      .Bind(3, output)
      .Bind(4, attempt.attempt_id)
      .Run();
}

void ForgetCounts(Database& database, const ForgetQuotaCounts& request) {
  database.Prepare("DELETE FROM quota_hours WHERE quota_group = ?")
      .Bind(1, std::string_view(request.quota_group))
      .Run();
  database.Prepare("DELETE FROM attempts WHERE quota_group = ? AND closed = 1")
      .Bind(1, std::string_view(request.quota_group))
      .Run();
}

void MarkUnknown(Database& database, Millis until) {
  database.Prepare("UPDATE attempts SET closed = 2, unknown_until = ? WHERE closed = 0")
      .Bind(1, until)
      .Run();
}

std::vector<JournalledAttempt> ReadAttempts(Database& database, Millis now) {
  Statement rows = database.Prepare(
      "SELECT attempt_id, uid, request_id, body_digest, conv_id, key_id, quota_group, model, at,"
      " unknown_until, closed, counted, input_tokens, output_tokens FROM attempts"
      " WHERE at > ?1 OR (at > ?2 AND unknown_until > ?3) ORDER BY attempt_id");
  rows.Bind(1, now - kWindows).Bind(2, now - kDays).Bind(3, now);
  std::vector<JournalledAttempt> found;
  while (rows.Step()) {
    JournalledAttempt attempt;
    attempt.opened = {rows.Integer(0), static_cast<std::uint32_t>(rows.Integer(1)),
                      rows.Text(2),    rows.Text(3),
                      rows.Text(4),    rows.Text(5),
                      rows.Text(6),    rows.Text(7),
                      rows.Integer(8), rows.Integer(12),
                      rows.Integer(13)};
    attempt.unknown_until = rows.Integer(9);
    if (rows.Integer(10) == kClosed) {
      attempt.closed =
          AttemptClosed{rows.Integer(0), rows.Integer(11) != 0, rows.Integer(12), rows.Integer(13)};
    }
    found.push_back(std::move(attempt));
  }
  return found;
}

std::vector<HourCount> ReadHours(Database& database, Millis now) {
  Statement rows = database.Prepare(
      "SELECT quota_group, model, hour, requests, input_tokens, output_tokens FROM quota_hours"
      " WHERE hour > ?");
  rows.Bind(1, now - kDays);
  std::vector<HourCount> found;
  while (rows.Step()) {
    found.push_back({rows.Text(0), rows.Text(1), rows.Integer(2), rows.Integer(3), rows.Integer(4),
                     rows.Integer(5)});
  }
  return found;
}

std::int64_t ReadLastAttemptId(Database& database) {
  return database.QueryInteger("SELECT seq FROM sqlite_sequence WHERE name = 'attempts'");
}

}  // namespace requestrouter::storage
