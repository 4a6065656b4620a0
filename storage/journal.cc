#include <cstring>

#include "storage/tables.h"

namespace requestrouter::storage {
namespace {

// For how long seconds are told apart: the windows of nearly all providers.
constexpr Millis kSeconds = 10 * 60'000;
// No day has more than 25 hours.
constexpr Millis kDay = 26 * 3'600'000LL;

void AddTo(Statement add, Millis start, const QuotaCount& count) {
  add.Bind(1, start)
      .Bind(2, std::string_view(count.quota_group))
      .Bind(3, std::string_view(count.model))
      .Bind(4, count.requests)
      .Bind(5, count.input_tokens)
      .Bind(6, count.output_tokens)
      .Bind(7, count.counted_tokens)
      .Run();
}

std::vector<QuotaCount> ReadCounts(Statement rows, Millis since) {
  rows.Bind(1, since);
  std::vector<QuotaCount> found;
  while (rows.Step()) {
    found.push_back({rows.Text(0), rows.Text(1), rows.Integer(2), rows.Integer(3), rows.Integer(4),
                     rows.Integer(5), rows.Integer(6)});
  }
  return found;
}

}  // namespace

void AddQuotaCount(Database& database, const QuotaCount& count) {
  AddTo(database.Prepare(
            "INSERT INTO quota_seconds VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
            " requests = requests + excluded.requests,"
            " input_tokens = input_tokens + excluded.input_tokens,"
            " output_tokens = output_tokens + excluded.output_tokens,"
            " counted_tokens = counted_tokens + excluded.counted_tokens"),
        SecondOf(count.start), count);
  AddToMinute(database, count);
}

void AddToMinute(Database& database, const QuotaCount& count) {
  AddTo(database.Prepare(
            "INSERT INTO quota_minutes VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
            " requests = requests + excluded.requests,"
            " input_tokens = input_tokens + excluded.input_tokens,"
            " output_tokens = output_tokens + excluded.output_tokens,"
            " counted_tokens = counted_tokens + excluded.counted_tokens"),
        MinuteOf(count.start), count);
}

void ForgetCounts(Database& database, const ForgetQuotaCounts& request) {
  for (const char* sql : {"DELETE FROM quota_minutes WHERE quota_group = ?",
                          "DELETE FROM quota_seconds WHERE quota_group = ?"}) {
    database.Prepare(sql).Bind(1, std::string_view(request.quota_group)).Run();
  }
}

void SaveClosings(Database& database, std::span<const std::int64_t> attempt_ids) {
  const std::string_view bytes(reinterpret_cast<const char*>(attempt_ids.data()),
                               attempt_ids.size_bytes());
  database.Prepare("INSERT INTO closings (attempt_ids) VALUES (?)").BindBlob(1, bytes).Run();
}

std::unordered_set<std::int64_t> ReadClosings(Database& database) {
  Statement rows = database.Prepare("SELECT attempt_ids FROM closings");
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

Millis SecondsFrom(Millis now) { return MinuteOf(now - kSeconds); }

std::vector<QuotaCount> ReadSeconds(Database& database, Millis now) {
  return ReadCounts(
      database.Prepare("SELECT quota_group, model, second, requests, input_tokens,"
                       " output_tokens, counted_tokens FROM quota_seconds WHERE second >= ?"),
      SecondsFrom(now));
}

std::vector<QuotaCount> ReadMinutes(Database& database, Millis now) {
  return ReadCounts(
      database.Prepare("SELECT quota_group, model, minute, requests, input_tokens,"
                       " output_tokens, counted_tokens FROM quota_minutes WHERE minute > ?"),
      now - kDay);
}

}  // namespace requestrouter::storage
