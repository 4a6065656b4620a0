#include "storage/session.h"
#include "storage/tables.h"

// How large the database is, and what has expired in it.
namespace requestrouter::storage {
namespace {

// As long as their longest reader looks back (quota_counts.cc), with room to spare.
constexpr Millis kSeconds = 15 * 60'000;
constexpr Millis kMinutes = 30 * 3'600'000LL;

}  // namespace

Size ReadSize(Database& database) {
  Size size;
  size.conversations = database.QueryInteger("SELECT count(*) FROM conversations");
  size.bytes =
      database.QueryInteger("PRAGMA page_count") * database.QueryInteger("PRAGMA page_size");
  return size;
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
