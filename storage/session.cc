#include "storage/session.h"

#include <fstream>

#include "storage/tables.h"

namespace requestrouter::storage {
namespace {

constexpr Millis kDay = 24 * 3'600'000LL;

LastSession ReadLast(Database& database, const std::string& boot_id) {
  Statement row = database.Prepare("SELECT boot_id, clean FROM session");
  if (!row.Step()) return {};
  return {row.Integer(1) == 0, row.Text(0) != boot_id};
}

// What lies in the future was written before the clock was set back. Attempts count as made now;
// what expires does so within its whole time from now; day counts that are not of the next day
// are of no day that any provider counts.
void ClampFuture(Database& database, Millis now, Millis results_for) {
  const auto clamp = [&](const char* sql, Millis first, Millis second) {
    try {
      database.Prepare(sql).Bind(1, first).Bind(2, second).Run();
    } catch (const DatabaseError& error) {
      // A damaged page is no reason not to start; the check tells of it.
      if (error.error().code != ErrorCode::kCorrupt) throw;
    }
  };
  clamp("UPDATE attempts SET at = ?1 WHERE at > ?2", now, now);
  clamp("UPDATE results SET expires_at = ?1 WHERE expires_at > ?2", now + results_for,
        now + results_for);
  clamp(
      "UPDATE conversations SET expires_at = ?1 + expires_at - updated_at, updated_at = ?1"
      " WHERE updated_at > ?2",
      now, now);
  clamp("DELETE FROM quota_hours WHERE hour > ?1 AND hour > ?2", now + kDay, now);
}

}  // namespace

std::string BootId() {
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::string id;
  std::getline(file, id);
  return id;
}

LastSession BeginSession(Database& database, const std::string& boot_id, Millis now,
                         Millis unknown_for) {
  Transaction transaction(database);
  const LastSession last = ReadLast(database, boot_id);
  database.Prepare("INSERT OR REPLACE INTO session VALUES (1, ?, 0)")
      .Bind(1, std::string_view(boot_id))
      .Run();
  MarkUnknown(database, now + unknown_for);
  ClampFuture(database, now, unknown_for);
  transaction.Commit();
  return last;
}

void EndSession(Database& database) {
  Transaction transaction(database);
  database.Execute("UPDATE session SET clean = 1");
  transaction.Commit();
}

}  // namespace requestrouter::storage
