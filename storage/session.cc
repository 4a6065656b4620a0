#include "storage/session.h"

#include <algorithm>
#include <fstream>
#include <unordered_set>
#include <utility>

#include "storage/tables.h"

namespace requestrouter::storage {
namespace {

constexpr Millis kDay = 24 * 3'600'000LL;

// How far seen_at may lag behind: so seldom is it written.
constexpr Millis kSeenEvery = 10 * 60'000;

struct Row {
  Session session;
  Millis seen_at = 0;
};

Row ReadRow(Database& database, const std::string& boot_id) {
  Statement row = database.Prepare(
      "SELECT clean, boot_id, log_id, log_generation, last_attempt_id, seen_at FROM session");
  if (!row.Step()) return {};
  return {{{row.Integer(0) == 0, row.Text(1) != boot_id},
           {row.Integer(2), row.Integer(3)},
           row.Integer(4)},
          row.Integer(5)};
}

void WriteRow(Database& database, const Session& session, const std::string& boot_id, Millis now) {
  database
      .Prepare(
          "INSERT OR REPLACE INTO session (one, boot_id, clean, log_id, log_generation,"
          " last_attempt_id, seen_at) VALUES (1, ?, 0, ?, ?, ?, ?)")
      .Bind(1, std::string_view(boot_id))
      .Bind(2, session.log.database)
      .Bind(3, session.log.generation)
      .Bind(4, session.last_attempt_id)
      .Bind(5, now)
      .Run();
}

// Counters that are damaged are no reason not to start or to end: what was to be added to them
// stays, and the check tells of it. In a transaction of its own.
void AddUpUnlessDamaged(Database& database) {
  try {
    Transaction transaction(database);
    AddUpPending(database);
    transaction.Commit();
  } catch (const DatabaseError& error) {
    if (error.error().code != ErrorCode::kCorrupt) throw;
  }
}

// What the attempt log holds and the database does not know the end of. Returns the last id.
std::int64_t TakeLeftOpen(Database& database, const std::string& log_path,
                          const AttemptLog::Identity& log, Millis now, Millis unknown_until) {
  database.Prepare("UPDATE unknown_attempts SET unknown_until = ? WHERE unknown_until = -1")
      .Bind(1, unknown_until)
      .Run();
  const std::unordered_set<std::int64_t> closed = ReadClosings(database);
  std::int64_t last_id = closed.empty() ? 0 : *std::ranges::max_element(closed);
  for (AttemptOpened& opened : AttemptLog::Read(log_path, log)) {
    last_id = std::max(last_id, opened.attempt_id);
    if (closed.contains(opened.attempt_id)) continue;
    opened.at = std::min(opened.at, now);
    SaveUnknown(database, {std::move(opened), unknown_until});
  }
  database.Prepare("DELETE FROM closings").Run();
  return std::max(last_id, database.QueryInteger("SELECT max(attempt_id) FROM unknown_attempts"));
}

// What lies in the future was written before the clock was set back. Attempts count as made now;
// what expires does so within its whole time from now; day counts that are not of the next day
// are of no day that any provider counts.
void ClampFuture(Database& database, Millis now, Millis results_for, Millis seen_at) {
  const auto clamp = [&](const std::string& sql, Millis first, Millis second) {
    try {
      database.Prepare(sql).Bind(1, first).Bind(2, second).Run();
    } catch (const DatabaseError& error) {
      // A damaged page is no reason not to start; the check tells of it.
      if (error.error().code != ErrorCode::kCorrupt) throw;
    }
  };
  clamp("UPDATE unknown_attempts SET at = ?1 WHERE at > ?2", now, now);
  clamp(std::string("INSERT INTO quota_seconds SELECT ?1, quota_group, model, sum(requests),"
                    " sum(input_tokens), sum(output_tokens), sum(counted_tokens) FROM quota_seconds"
                    " WHERE second > ?2 GROUP BY quota_group, model") +
            kAddToQuotaCount,
        SecondOf(now), now);
  clamp("DELETE FROM quota_seconds WHERE second > ?1 AND second > ?2", now, now);
  clamp("DELETE FROM quota_minutes WHERE minute > ?1 AND minute > ?2", now + kDay, now);
  if (seen_at <= now) return;  // the large tables hold nothing of the future, or of minutes only
  clamp("UPDATE results SET expires_at = ?1 WHERE expires_at > ?2", now + results_for,
        now + results_for);
  clamp(
      "UPDATE conversations SET expires_at = ?1 + expires_at - updated_at, updated_at = ?1,"
      " sweep_at = min(sweep_at, ?1 + expires_at - updated_at) WHERE updated_at > ?2",
      now, now);
}

}  // namespace

std::string BootId() {
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::string id;
  std::getline(file, id);
  return id;
}

Session BeginSession(Database& database, const std::string& log_path, Millis now,
                     Millis unknown_for) {
  const std::string boot_id = BootId();
  AddUpUnlessDamaged(database);
  Transaction transaction(database);
  auto [session, seen_at] = ReadRow(database, boot_id);
  const std::int64_t last_id =
      TakeLeftOpen(database, log_path, session.log, now, now + unknown_for);
  session.last_attempt_id = std::max(session.last_attempt_id, last_id);
  ++session.log.generation;
  while (session.log.database == 0) {
    session.log.database = database.QueryInteger("SELECT random()");
  }
  WriteRow(database, session, boot_id, now);
  ClampFuture(database, now, unknown_for, seen_at);
  transaction.Commit();
  return session;
}

void NoteLogGeneration(Database& database, std::int64_t generation, std::int64_t last_id) {
  AddUpUnlessDamaged(database);
  Transaction transaction(database);
  database
      .Prepare("UPDATE session SET log_generation = ?1, last_attempt_id = max(last_attempt_id, ?2)")
      .Bind(1, generation)
      .Bind(2, last_id)
      .Run();
  database.Prepare("DELETE FROM closings").Run();
  transaction.Commit();
}

void NoteSeen(Database& database, Millis now) {
  database.Prepare("UPDATE session SET seen_at = ?1 WHERE seen_at <= ?1 - ?2")
      .Bind(1, now)
      .Bind(2, kSeenEvery)
      .Run();
}

void EndSession(Database& database) {
  AddUpUnlessDamaged(database);
  Transaction transaction(database);
  database.Execute("UPDATE session SET clean = 1");
  transaction.Commit();
}

}  // namespace requestrouter::storage
