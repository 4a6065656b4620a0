#include "storage/tables.h"

namespace requestrouter::storage {
namespace {

constexpr std::string_view kInfoColumns =
    "conv_id, system_prompt, created_at, updated_at, expires_at, message_count, total_tokens,"
    " last_model, last_key_id, user_id";

ConversationInfo ReadInfo(const Statement& row, int first) {
  ConversationInfo info;
  info.conv_id = row.Text(first);
  info.system_prompt = row.OptionalText(first + 1);
  info.created_at = row.Integer(first + 2);
  info.updated_at = row.Integer(first + 3);
  info.expires_at = row.Integer(first + 4);
  info.message_count = row.Integer(first + 5);
  info.total_tokens = row.Integer(first + 6);
  info.last_model = row.Text(first + 7);
  info.last_key_id = row.Text(first + 8);
  info.user_id = row.Text(first + 9);
  return info;
}

// Of a message's id, below the id of its conversation (schema.cc, 5).
constexpr int kSeqBits = 24;
constexpr std::int64_t kMostMessages = std::int64_t{1} << kSeqBits;

constexpr std::int64_t MessageId(std::int64_t conversation, std::int64_t seq) {
  return (conversation << kSeqBits) + seq;
}

// Where the next message of a conversation goes.
struct Place {
  std::int64_t id = 0;
  std::int64_t next_seq = 0;
};

void DeleteById(Database& database, std::int64_t id) {
  database.Prepare("DELETE FROM conversations WHERE id = ?").Bind(1, id).Run();
}

Place Create(Database& database, const Turn& turn) {
  const auto messages = static_cast<std::int64_t>(turn.messages.size());
  database
      .Prepare(
          "INSERT INTO conversations (uid, conv_id, system_prompt, created_at, updated_at,"
          " expires_at, message_count, next_seq, total_tokens, last_model, last_key_id, user_id,"
          " sweep_at) VALUES (?1, ?2, ?3, ?4, ?4, ?5, ?6, ?6, ?7, ?8, ?9, ?10, ?5)")
      .Bind(1, turn.uid)
      .Bind(2, std::string_view(turn.conv_id))
      .Bind(3, turn.system_prompt)
      .Bind(4, turn.at)
      .Bind(5, turn.expires_at)
      .Bind(6, messages)
      .Bind(7, turn.total_tokens)
      .Bind(8, std::string_view(turn.model))
      .Bind(9, std::string_view(turn.key_id))
      .Bind(10, std::string_view(turn.user_id))
      .Run();
  return {database.last_id(), 0};
}

// One that is to live less long than it was thought to is looked at earlier, too.
void Update(Database& database, const Turn& turn, const Place& place, std::int64_t sweep_at) {
  if (turn.expires_at < sweep_at) {
    database.Prepare("UPDATE conversations SET sweep_at = ? WHERE id = ?")
        .Bind(1, turn.expires_at)
        .Bind(2, place.id)
        .Run();
  }
  const auto messages = static_cast<std::int64_t>(turn.messages.size());
  database
      .Prepare(
          "UPDATE conversations SET system_prompt = coalesce(?1, system_prompt),"
          " updated_at = ?2, expires_at = ?3, message_count = message_count + ?4,"
          " next_seq = next_seq + ?4, total_tokens = total_tokens + ?5, last_model = ?6,"
          " last_key_id = ?7, user_id = CASE WHEN ?8 = '' THEN user_id ELSE ?8 END WHERE id = ?9")
      .Bind(1, turn.system_prompt)
      .Bind(2, turn.at)
      .Bind(3, turn.expires_at)
      .Bind(4, messages)
      .Bind(5, turn.total_tokens)
      .Bind(6, std::string_view(turn.model))
      .Bind(7, std::string_view(turn.key_id))
      .Bind(8, std::string_view(turn.user_id))
      .Bind(9, place.id)
      .Run();
}

// An expired conversation begins afresh.
Place UpdateOrCreate(Database& database, const Turn& turn) {
  Statement find = database.Prepare(
      "SELECT id, next_seq, expires_at, sweep_at FROM conversations"
      " WHERE uid = ? AND conv_id = ?");
  find.Bind(1, turn.uid).Bind(2, std::string_view(turn.conv_id));
  if (!find.Step()) return Create(database, turn);
  const Place place = {find.Integer(0), find.Integer(1)};
  const bool expired = find.Integer(2) <= turn.at;
  const std::int64_t sweep_at = find.Integer(3);
  find.Reset();
  if (expired) {
    DeleteById(database, place.id);
    return Create(database, turn);
  }
  Update(database, turn, place, sweep_at);
  return place;
}

void InsertMessage(Statement& insert, std::int64_t id, const StoredMessage& message,
                   std::int64_t result_id) {
  insert.Bind(1, id)
      .Bind(2, std::string_view(message.role))
      .Bind(3, std::string_view(message.text))
      .BindBlob(4, message.payload)
      .Bind(5, message.at)
      .Bind(6, message.tokens)
      .Bind(7, std::string_view(message.model))
      .Bind(8, std::string_view(message.key_id))
      .Bind(9, result_id)
      .Run();
}

std::vector<StoredMessage> ReadMessages(Database& database, std::int64_t conversation,
                                        std::optional<std::int64_t> limit) {
  Statement rows = database.Prepare(
      "SELECT * FROM (SELECT seq, role, text, payload, at, tokens, model, key_id FROM messages"
      " WHERE id >= ? AND id < ? ORDER BY id DESC LIMIT ?) ORDER BY seq");
  rows.Bind(1, MessageId(conversation, 0))
      .Bind(2, MessageId(conversation + 1, 0))
      .Bind(3, limit.value_or(-1));
  std::vector<StoredMessage> messages;
  while (rows.Step()) {
    messages.push_back({rows.Integer(0), rows.Text(1), rows.Text(2), rows.Text(3), rows.Integer(4),
                        rows.Integer(5), rows.Text(6), rows.Text(7)});
  }
  return messages;
}

Error NoConversation(const std::string& conv_id) {
  return {ErrorCode::kNotFound, "no conversation \"" + conv_id + "\" of this uid"};
}

// The id of an existing conversation; throws kNotFound.
std::int64_t IdOf(Database& database, std::uint32_t uid, const std::string& conv_id) {
  Statement find = database.Prepare("SELECT id FROM conversations WHERE uid = ? AND conv_id = ?");
  find.Bind(1, uid).Bind(2, std::string_view(conv_id));
  if (!find.Step()) throw DatabaseError(NoConversation(conv_id));
  return find.Integer(0);
}

// Those that repeat the messages of a conversation before `end_seq`.
void DeleteResults(Database& database, std::uint32_t uid, const std::string& conv_id,
                   std::int64_t conversation, std::int64_t end_seq) {
  database
      .Prepare(
          "DELETE FROM results WHERE uid = ? AND conv_id = ? AND id IN"
          " (SELECT result_id FROM messages WHERE id >= ? AND id < ?)")
      .Bind(1, uid)
      .Bind(2, std::string_view(conv_id))
      .Bind(3, MessageId(conversation, 0))
      .Bind(4, MessageId(conversation, end_seq))
      .Run();
}

// Where the part of a conversation begins that truncating it to `keep_last_n` messages leaves: at
// the first of them that is no tool result, if there is one. Tool results whose calls are cut off
// would have every later request refused.
std::int64_t FirstKept(Database& database, std::int64_t conversation, std::int64_t keep_last_n) {
  Statement first = database.Prepare(
      "SELECT coalesce(min(seq), (SELECT next_seq FROM conversations WHERE id = ?1))"
      " FROM (SELECT seq, role FROM messages WHERE id >= ?2 AND id < ?3 ORDER BY id DESC LIMIT ?4)"
      " WHERE role != 'tool'");
  first.Bind(1, conversation)
      .Bind(2, MessageId(conversation, 0))
      .Bind(3, MessageId(conversation + 1, 0))
      .Bind(4, keep_last_n);
  first.Step();
  return first.Integer(0);
}

}  // namespace

// The last message says which result repeats it.
void AppendTurn(Database& database, const Turn& turn, std::int64_t result_id) {
  Place place = UpdateOrCreate(database, turn);
  if (place.next_seq + static_cast<std::int64_t>(turn.messages.size()) > kMostMessages) {
    throw DatabaseError(ErrorCode::kInvalid, "the conversation \"" + turn.conv_id + "\" has " +
                                                 std::to_string(kMostMessages) +
                                                 " messages; begin another one");
  }
  Statement insert = database.Prepare("INSERT INTO messages VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)");
  for (const StoredMessage& message : turn.messages) {
    const bool last = &message == &turn.messages.back();
    InsertMessage(insert, MessageId(place.id, place.next_seq++), message, last ? result_id : 0);
  }
}

// With the results that repeat what is removed.
Written Truncate(Database& database, const TruncateConversation& request) {
  const std::int64_t id = IdOf(database, request.uid, request.conv_id);
  const std::int64_t first_kept = FirstKept(database, id, request.keep_last_n);
  DeleteResults(database, request.uid, request.conv_id, id, first_kept);
  database.Prepare("DELETE FROM messages WHERE id >= ? AND id < ?")
      .Bind(1, MessageId(id, 0))
      .Bind(2, MessageId(id, first_kept))
      .Run();
  const std::int64_t removed = database.changes();
  Statement update = database.Prepare(
      "UPDATE conversations SET message_count = message_count - ? WHERE id = ?"
      " RETURNING message_count");
  update.Bind(1, removed).Bind(2, id);
  update.Step();
  return {removed, update.Integer(0)};
}

Written Delete(Database& database, const DeleteConversation& request) {
  const std::int64_t id = IdOf(database, request.uid, request.conv_id);
  DeleteResults(database, request.uid, request.conv_id, id, kMostMessages);
  DeleteById(database, id);
  return {1, 0};
}

// From the index of their names alone.
void ForEachConversation(Database& database,
                         const std::function<void(std::uint32_t, const std::string&)>& found) {
  Statement rows = database.Prepare("SELECT uid, conv_id FROM conversations ORDER BY uid, conv_id");
  while (rows.Step()) found(static_cast<std::uint32_t>(rows.Integer(0)), rows.Text(1));
}

Result<Conversation> ReadConversation(Database& database, std::uint32_t uid,
                                      const std::string& conv_id, Millis now,
                                      std::optional<std::int64_t> limit) {
  static const std::string kFind = "SELECT id, " + std::string(kInfoColumns) +
                                   " FROM conversations WHERE uid = ? AND conv_id = ?"
                                   " AND expires_at > ?";
  Statement find = database.Prepare(kFind);
  find.Bind(1, uid).Bind(2, std::string_view(conv_id)).Bind(3, now);
  if (!find.Step()) return tl::unexpected(NoConversation(conv_id));
  return Conversation{ReadInfo(find, 1), ReadMessages(database, find.Integer(0), limit)};
}

std::vector<ConversationInfo> ReadConversations(Database& database, std::uint32_t uid,
                                                const std::string& prefix,
                                                const std::string& user_id,
                                                const std::string& after, std::int64_t limit,
                                                Millis now) {
  Statement rows = database.Prepare(
      "SELECT " + std::string(kInfoColumns) +
      " FROM conversations WHERE uid = ?1 AND conv_id > ?2 AND conv_id >= ?3"
      " AND substr(conv_id, 1, length(?3)) = ?3 AND (?4 = '' OR user_id = ?4) AND expires_at > ?5"
      " ORDER BY conv_id LIMIT ?6");
  rows.Bind(1, uid)
      .Bind(2, std::string_view(after))
      .Bind(3, std::string_view(prefix))
      .Bind(4, std::string_view(user_id))
      .Bind(5, now)
      .Bind(6, limit);
  std::vector<ConversationInfo> found;
  while (rows.Step()) found.push_back(ReadInfo(rows, 0));
  return found;
}

}  // namespace requestrouter::storage
