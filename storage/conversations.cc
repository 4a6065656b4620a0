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

struct Place {
  std::int64_t id = 0;
  std::int64_t next_seq = 0;
};

void DeleteById(Database& database, std::int64_t id) {
  database.Prepare("DELETE FROM conversations WHERE id = ?").Bind(1, id).Run();
}

// An expired conversation begins afresh.
Place FindOrCreate(Database& database, const Turn& turn) {
  Statement find = database.Prepare(
      "SELECT id, next_seq, expires_at FROM conversations WHERE uid = ? AND conv_id = ?");
  find.Bind(1, turn.uid).Bind(2, std::string_view(turn.conv_id));
  if (find.Step()) {
    const Place place = {find.Integer(0), find.Integer(1)};
    if (find.Integer(2) > turn.at) return place;
    DeleteById(database, place.id);
  }
  Statement create = database.Prepare(
      "INSERT INTO conversations (uid, conv_id, created_at, updated_at, expires_at, message_count,"
      " next_seq, total_tokens, last_model, last_key_id, user_id)"
      " VALUES (?, ?, ?, ?, ?, 0, 0, 0, '', '', '') RETURNING id");
  create.Bind(1, turn.uid)
      .Bind(2, std::string_view(turn.conv_id))
      .Bind(3, turn.at)
      .Bind(4, turn.at)
      .Bind(5, turn.expires_at);
  create.Step();
  return {create.Integer(0), 0};
}

void InsertMessage(Statement& insert, std::int64_t conversation, std::int64_t seq,
                   const StoredMessage& message) {
  insert.Bind(1, conversation)
      .Bind(2, seq)
      .Bind(3, std::string_view(message.role))
      .Bind(4, std::string_view(message.text))
      .BindBlob(5, message.payload)
      .Bind(6, message.at)
      .Bind(7, message.tokens)
      .Bind(8, std::string_view(message.model))
      .Bind(9, std::string_view(message.key_id))
      .Run();
}

std::vector<StoredMessage> ReadMessages(Database& database, std::int64_t conversation,
                                        std::optional<std::int64_t> limit) {
  Statement rows = database.Prepare(
      "SELECT * FROM (SELECT seq, role, text, payload, at, tokens, model, key_id FROM messages"
      " WHERE conversation = ? ORDER BY seq DESC LIMIT ?) ORDER BY seq");
  rows.Bind(1, conversation).Bind(2, limit.value_or(-1));
  std::vector<StoredMessage> messages;
  while (rows.Step()) {
    messages.push_back({rows.Integer(0), rows.Text(1), rows.Text(2), rows.Text(3), rows.Integer(4),
                        rows.Integer(5), rows.Text(6), rows.Text(7)});
  }
  return messages;
}

// The id of an existing conversation; throws kNotFound.
std::int64_t IdOf(Database& database, std::uint32_t uid, const std::string& conv_id) {
  Statement find = database.Prepare("SELECT id FROM conversations WHERE uid = ? AND conv_id = ?");
  find.Bind(1, uid).Bind(2, std::string_view(conv_id));
  if (!find.Step()) {
    throw DatabaseError(ErrorCode::kNotFound, "no conversation \"" + conv_id + "\" of this uid");
  }
  return find.Integer(0);
}

}  // namespace

void AppendTurn(Database& database, const Turn& turn) {
  Place place = FindOrCreate(database, turn);
  Statement insert = database.Prepare("INSERT INTO messages VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)");
  for (const StoredMessage& message : turn.messages) {
    InsertMessage(insert, place.id, place.next_seq++, message);
  }
  database
      .Prepare(
          "UPDATE conversations SET system_prompt = coalesce(?, system_prompt),"
          " updated_at = ?, expires_at = ?, message_count = message_count + ?, next_seq = ?,"
          " total_tokens = total_tokens + ?, last_model = ?, last_key_id = ?,"
          " user_id = CASE WHEN ? = '' THEN user_id ELSE ? END WHERE id = ?")
      .Bind(1, turn.system_prompt)
      .Bind(2, turn.at)
      .Bind(3, turn.expires_at)
      .Bind(4, static_cast<std::int64_t>(turn.messages.size()))
      .Bind(5, place.next_seq)
      .Bind(6, turn.total_tokens)
      .Bind(7, std::string_view(turn.model))
      .Bind(8, std::string_view(turn.key_id))
      .Bind(9, std::string_view(turn.user_id))
      .Bind(10, std::string_view(turn.user_id))
      .Bind(11, place.id)
      .Run();
}

Written Truncate(Database& database, const TruncateConversation& request) {
  const std::int64_t id = IdOf(database, request.uid, request.conv_id);
  database
      .Prepare(
          "DELETE FROM messages WHERE conversation = ?1 AND seq NOT IN"
          " (SELECT seq FROM messages WHERE conversation = ?1 ORDER BY seq DESC LIMIT ?2)")
      .Bind(1, id)
      .Bind(2, request.keep_last_n)
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
  DeleteById(database, id);
  database.Prepare("DELETE FROM results WHERE uid = ? AND conv_id = ? AND conv_id != ''")
      .Bind(1, request.uid)
      .Bind(2, std::string_view(request.conv_id))
      .Run();
  return {1, 0};
}

Size ReadSize(Database& database) {
  Size size;
  size.conversations = database.QueryInteger("SELECT count(*) FROM conversations");
  size.bytes =
      database.QueryInteger("PRAGMA page_count") * database.QueryInteger("PRAGMA page_size");
  return size;
}

Conversation ReadConversation(Database& database, std::uint32_t uid, const std::string& conv_id,
                              Millis now, std::optional<std::int64_t> limit) {
  Statement find = database.Prepare("SELECT id, " + std::string(kInfoColumns) +
                                    " FROM conversations WHERE uid = ? AND conv_id = ?"
                                    " AND expires_at > ?");
  find.Bind(1, uid).Bind(2, std::string_view(conv_id)).Bind(3, now);
  if (!find.Step()) {
    throw DatabaseError(ErrorCode::kNotFound, "no conversation \"" + conv_id + "\" of this uid");
  }
  return {ReadInfo(find, 1), ReadMessages(database, find.Integer(0), limit)};
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
