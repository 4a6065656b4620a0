#include "client_lib/src/info_convert.h"

#include <utility>

#include "client_lib/src/chat_convert.h"
#include "client_lib/src/json.h"
#include "client_lib/src/read.h"

namespace requestrouter::client {

using ipc::Value;

Health HealthFromBody(const Value& body) {
  Health health;
  health.healthy = ReadBool(body, "healthy");
  health.version = ReadText(body, "version");
  health.uptime = std::chrono::milliseconds(ReadInt(body, "uptime_ms"));
  health.timestamp = ReadText(body, "timestamp");
  const Value& keys = ReadChild(body, "key_manager");
  health.keys = {ReadBool(keys, "healthy"), ReadInt(keys, "total_keys"),
                 ReadInt(keys, "active_keys"), ReadInt(keys, "keys_in_cooldown")};
  health.conversation_store = ReadBool(body, "conversation_store");
  const Value& storage = ReadChild(body, "storage");
  health.storage_healthy = ReadBool(storage, "healthy");
  health.storage_engine = ReadText(storage, "engine");
  const Value& queue = ReadChild(body, "queue");
  health.waiting = ReadInt(queue, "waiting");
  health.in_flight = ReadInt(queue, "in_flight");
  return health;
}

std::vector<Model> ModelsFromBody(const Value& body) {
  std::vector<Model> models;
  for (const Value& row : ReadChild(body, "models")) {
    models.push_back({ReadText(row, "model"), ReadText(row, "provider"), ReadInt(row, "keys"),
                      ReadText(row, "workload"), ReadBool(row, "available"),
                      ReadTexts(row, "capabilities")});
  }
  return models;
}

Result<Conversation> ConversationFromBody(const Value& body) {
  Conversation conversation;
  conversation.id = ReadText(body, "conv_id");
  const Value& system_prompt = ReadChild(body, "system_prompt");
  if (system_prompt.is_string()) conversation.system_prompt = system_prompt.get<std::string>();
  for (const Value& row : ReadChild(body, "messages")) {
    auto message = MessageFromBody(row);
    if (!message) return std::move(message.error());
    const Value& metadata = ReadChild(row, "metadata");
    conversation.messages.push_back({std::move(*message), ReadText(row, "timestamp"),
                                     ReadOptionalInt(row, "tokens"), ReadText(metadata, "model"),
                                     ReadText(metadata, "key_id")});
  }
  conversation.metadata_json = DumpJson(ReadChild(body, "metadata"));
  return conversation;
}

ConversationPage ConversationPageFromBody(const Value& body) {
  ConversationPage page;
  for (const Value& row : ReadChild(body, "conversations")) {
    page.conversations.push_back({ReadText(row, "conv_id"), ReadText(row, "updated_at"),
                                  ReadInt(row, "message_count"), ReadInt(row, "total_tokens")});
  }
  page.next = ReadText(body, "next");
  return page;
}

}  // namespace requestrouter::client
