#include "storage/tables.h"

namespace requestrouter::storage {
namespace {

// Problems that are reported at most: one damaged page can cause thousands.
constexpr const char* kMost = "20";

void Collect(Database& database, const std::string& pragma, std::vector<std::string>* problems) {
  Statement rows = database.Prepare(pragma);
  while (rows.Step()) {
    if (std::string line = rows.Text(0); line != "ok") problems->push_back(std::move(line));
  }
}

void CheckConversations(Database& database, std::vector<std::string>* problems) {
  const std::int64_t lost = database.QueryInteger(
      "SELECT count(*) FROM messages WHERE conversation NOT IN (SELECT id FROM conversations)");
  if (lost > 0) problems->push_back(std::to_string(lost) + " messages are of no conversation");
}

// A conversation says how many messages it has; both are written in one transaction.
void CheckCounts(Database& database, std::vector<std::string>* problems) {
  Statement rows = database.Prepare(
      "SELECT conv_id FROM conversations WHERE message_count !="
      " (SELECT count(*) FROM messages WHERE messages.id >= conversations.id << 24"
      " AND messages.id < (conversations.id + 1) << 24) LIMIT 20");
  while (rows.Step()) problems->push_back("messages are missing in " + rows.Text(0));
}

}  // namespace

// Damage that stops the reading itself is reported as what was found.
std::vector<std::string> FindDamage(Database& database, CheckDepth depth) {
  std::vector<std::string> problems;
  const bool full = depth == CheckDepth::kFull;
  try {
    Collect(database,
            std::string("PRAGMA ") + (full ? "integrity_check(" : "quick_check(") + kMost + ")",
            &problems);
    if (full && problems.empty()) {
      CheckConversations(database, &problems);
      CheckCounts(database, &problems);
    }
  } catch (const DatabaseError& error) {
    if (error.error().code != ErrorCode::kCorrupt) throw;
    problems.push_back(error.error().message);
  }
  return problems;
}

}  // namespace requestrouter::storage
