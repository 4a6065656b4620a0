#pragma once

#include <string>
#include <vector>

#include "storage/database.h"
#include "storage/store.h"

// What each kind of write and read does, in SQL. Each function works on the connection that it is
// given and throws DatabaseError. Writes expect an open transaction; kNotFound is thrown before
// anything is changed.
namespace requestrouter::storage {

// ---- conversations.cc
void AppendTurn(Database& database, const Turn& turn);
Written Truncate(Database& database, const TruncateConversation& request);
Written Delete(Database& database, const DeleteConversation& request);
Size ReadSize(Database& database);
Conversation ReadConversation(Database& database, std::uint32_t uid, const std::string& conv_id,
                              Millis now, std::optional<std::int64_t> limit);
std::vector<ConversationInfo> ReadConversations(Database& database, std::uint32_t uid,
                                                const std::string& prefix,
                                                const std::string& user_id,
                                                const std::string& after, std::int64_t limit,
                                                Millis now);

// ---- usage.cc
void AddUsage(Database& database, const Usage& usage);
std::vector<UsageRow> ReadUsage(Database& database, const UsageQuery& query);

// ---- journal.cc
void OpenAttempt(Database& database, const AttemptOpened& attempt, const std::string& boot_id);
void CloseAttempt(Database& database, const AttemptClosed& attempt);
// Those that the last daemon left open have an unknown outcome until `until`.
void MarkUnknown(Database& database, Millis until);
void ForgetCounts(Database& database, const ForgetQuotaCounts& request);
std::vector<JournalledAttempt> ReadAttempts(Database& database, Millis now);
std::vector<HourCount> ReadHours(Database& database, Millis now);
std::int64_t ReadLastAttemptId(Database& database);

// ---- states.cc
void SaveKeyState(Database& database, const KeyState& state);
std::vector<KeyState> ReadKeyStates(Database& database);
// False: the id has been stored with the same body already, so its turn is there, too.
// `conv_id`: of the conversation that the reply belongs to; empty: none.
bool SaveResult(Database& database, const StoredResult& result, const std::string& conv_id,
                Millis now);
StoredResult ReadResult(Database& database, std::uint32_t uid, const std::string& request_id,
                        Millis now);
std::vector<StoredResult> ReadResultIds(Database& database, Millis now, std::int64_t most);
Written SweepExpired(Database& database, const Sweep& sweep, std::int64_t most_results);

// ---- restore.cc
// Outside of a transaction: it makes its own. The copy that it works on is made in `directory`.
Written RestoreBackup(Database& database, const Restore& restore, const std::string& directory);

// ---- check.cc
std::vector<std::string> FindDamage(Database& database, CheckDepth depth);

}  // namespace requestrouter::storage
