#pragma once

#include <functional>
#include <span>
#include <string>
#include <unordered_set>
#include <vector>

#include "storage/database.h"
#include "storage/store.h"

// What each kind of write and read does, in SQL. Each function works on the connection that it is
// given and throws DatabaseError. Writes expect an open transaction; kNotFound is thrown before
// anything is changed.
namespace requestrouter::storage {

// ---- conversations.cc
// `result_id`: the result that repeats the turn's answer; 0: none.
void AppendTurn(Database& database, const Turn& turn, std::int64_t result_id);
Written Truncate(Database& database, const TruncateConversation& request);
Written Delete(Database& database, const DeleteConversation& request);
// Calls `found` with the uid and the conv_id of each, whether expired or not.
void ForEachConversation(Database& database,
                         const std::function<void(std::uint32_t, const std::string&)>& found);
Result<Conversation> ReadConversation(Database& database, std::uint32_t uid,
                                      const std::string& conv_id, Millis now,
                                      std::optional<std::int64_t> limit);
std::vector<ConversationInfo> ReadConversations(Database& database, std::uint32_t uid,
                                                const std::string& prefix,
                                                const std::string& user_id,
                                                const std::string& after, std::int64_t limit,
                                                Millis now);

// ---- pending_counts.cc
// What a transaction adds to counters lies in one table for all of them, so that it changes one
// page, until AddUpPending moves it to where it is read.
// `closed`: the attempts that are counted, or only closed.
void SavePending(Database& database, const QuotaCount& count, std::span<const std::int64_t> closed);
void SavePending(Database& database, const Usage& usage);
void AddUpPending(Database& database);

// ---- usage.cc
std::vector<UsageRow> ReadUsage(Database& database, const UsageQuery& query);

// ---- quota_counts.cc
// The start of the second, the minute or the hour of an instant.
constexpr Millis SecondOf(Millis at) { return at - at % 1'000; }
constexpr Millis MinuteOf(Millis at) { return at - at % 60'000; }
constexpr Millis HourOf(Millis at) { return at - at % 3'600'000; }
// The end of an INSERT into quota_seconds or quota_minutes: adds to what is there.
inline constexpr const char* kAddToQuotaCount =
    " ON CONFLICT DO UPDATE SET requests = requests + excluded.requests,"
    " input_tokens = input_tokens + excluded.input_tokens,"
    " output_tokens = output_tokens + excluded.output_tokens,"
    " counted_tokens = counted_tokens + excluded.counted_tokens";
void AddToMinute(Database& database, const QuotaCount& count);
void ForgetCounts(Database& database, const ForgetQuotaCounts& request);
Millis SecondsFrom(Millis now);  // see Recovered
std::vector<QuotaCount> ReadSeconds(Database& database, Millis now);
std::vector<QuotaCount> ReadMinutes(Database& database, Millis now);

// ---- attempts.cc
// Attempts that were opened since the attempt log's generation began, and have ended.
std::unordered_set<std::int64_t> ReadClosings(Database& database);
// And counts its reservation in its minute. Nothing where it is known as such already.
void SaveUnknown(Database& database, const UnknownAttempt& attempt);
std::vector<UnknownAttempt> ReadUnknown(Database& database, Millis now);

// ---- key_states.cc
void SaveKeyState(Database& database, const KeyState& state);
std::vector<KeyState> ReadKeyStates(Database& database);

// ---- results.cc
// False: it has been stored already, so its turn is there, too.
bool SaveResult(Database& database, const StoredResult& result);
Result<StoredResult> ReadResult(Database& database, std::int64_t id, std::uint32_t uid,
                                const std::string& request_id, Millis now);
std::vector<StoredResult> ReadResultIds(Database& database, Millis now, std::int64_t most);

// ---- sweep.cc
Size ReadSize(Database& database);
Written SweepExpired(Database& database, const Sweep& sweep, std::int64_t most_results);

// ---- restore.cc
// Outside of a transaction: it makes its own. The copy that it works on is made in `directory`.
Written RestoreBackup(Database& database, const Restore& restore, const std::string& directory);

// ---- check.cc
std::vector<std::string> FindDamage(Database& database, CheckDepth depth);

}  // namespace requestrouter::storage
