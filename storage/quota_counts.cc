#include "storage/tables.h"

// What was used of each quota: seconds for as long as minute windows are, minutes for a day.
namespace requestrouter::storage {
namespace {

// For how long seconds are told apart: the windows of nearly all providers.
constexpr Millis kSeconds = 10 * 60'000;
// No day has more than 25 hours.
constexpr Millis kDay = 26 * 3'600'000LL;

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

void AddToMinute(Database& database, const QuotaCount& count) {
  database
      .Prepare(std::string("INSERT INTO quota_minutes VALUES (?, ?, ?, ?, ?, ?, ?)") +
               kAddToQuotaCount)
      .Bind(1, MinuteOf(count.start))
      .Bind(2, std::string_view(count.quota_group))
      .Bind(3, std::string_view(count.model))
      .Bind(4, count.requests)
      .Bind(5, count.input_tokens)
      .Bind(6, count.output_tokens)
      .Bind(7, count.counted_tokens)
      .Run();
}

void ForgetCounts(Database& database, const ForgetQuotaCounts& request) {
  for (const char* sql : {"DELETE FROM quota_minutes WHERE quota_group = ?",
                          "DELETE FROM quota_seconds WHERE quota_group = ?"}) {
    database.Prepare(sql).Bind(1, std::string_view(request.quota_group)).Run();
  }
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
