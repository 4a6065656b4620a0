#include "client_lib/direct/memory.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "client_lib/src/errors.h"
#include "daemon/upstream/prompt.h"
#include "ipc/codec.h"

namespace requestrouter::direct {

using ipc::Message;
using ipc::Role;
using ipc::Value;

namespace {

std::string IdIn(const Value& body) {
  const auto id = body.find("conv_id");
  return id != body.end() && id->is_string() ? id->get<std::string>() : "";
}

std::size_t CountIn(const Value& body, const char* key, std::size_t fallback) {
  const auto count = body.find(key);
  return count != body.end() && count->is_number_unsigned() ? count->get<std::size_t>() : fallback;
}

Error Unknown(const std::string& id) {
  return client::MakeError(ErrorType::kNotFound, "no conversation \"" + id + "\"");
}

// As the daemon does: tool results without their calls are refused upstream.
void KeepLast(std::vector<Message>& messages, std::size_t count) {
  if (messages.size() <= count) return;
  auto first = messages.end() - static_cast<std::ptrdiff_t>(count);
  while (first != messages.end() && first->role == Role::kTool) ++first;
  messages.erase(messages.begin(), first);
}

}  // namespace

std::vector<Message> Memory::Prompt(const ipc::ChatRequest& request) const {
  const threads::Lock lock(mutex_);
  const auto found = conversations_.find(request.conv_id);
  const bool known = !request.conv_id.empty() && found != conversations_.end();
  std::vector<Message> messages;
  const std::string system =
      request.system_prompt.value_or(known ? found->second.system_prompt : "");
  if (!system.empty()) messages.push_back(ipc::TextMessage(Role::kSystem, system));
  if (known) {
    const std::vector<Message>& kept = found->second.messages;
    const bool answers_tools =
        !request.messages.empty() && request.messages.front().role == Role::kTool;
    const auto cut = static_cast<std::ptrdiff_t>(upstream::CutTurn(kept, answers_tools));
    messages.insert(messages.end(), kept.begin() + cut, kept.end());
  }
  messages.insert(messages.end(), request.messages.begin(), request.messages.end());
  return messages;
}

void Memory::Add(const ipc::ChatRequest& request, Message answer) {
  if (request.conv_id.empty()) return;
  const threads::Lock lock(mutex_);
  Conversation& conversation = conversations_[request.conv_id];
  if (request.system_prompt) conversation.system_prompt = *request.system_prompt;
  for (const Message& message : request.messages) {
    if (message.role != Role::kSystem) conversation.messages.push_back(message);
  }
  conversation.messages.push_back(std::move(answer));
}

Result<Value> Memory::Get(const Value& body) const {
  const threads::Lock lock(mutex_);
  const auto found = conversations_.find(IdIn(body));
  if (found == conversations_.end()) return Unknown(IdIn(body));
  const Conversation& conversation = found->second;
  const std::size_t count = conversation.messages.size();
  Value messages = Value::array();
  for (std::size_t i = count - std::min(count, CountIn(body, "limit", count)); i < count; ++i) {
    messages.push_back(ipc::ToValue(conversation.messages[i]));
  }
  Value reply = {{"conv_id", found->first}, {"messages", messages}};
  if (!conversation.system_prompt.empty()) reply["system_prompt"] = conversation.system_prompt;
  reply["metadata"] = {{"message_count", count}};
  return reply;
}

Result<Value> Memory::Truncate(const Value& body) {
  const threads::Lock lock(mutex_);
  const auto found = conversations_.find(IdIn(body));
  if (found == conversations_.end()) return Unknown(IdIn(body));
  std::vector<Message>& messages = found->second.messages;
  const std::size_t before = messages.size();
  KeepLast(messages, CountIn(body, "keep_last_n", 20));
  return Value{{"removed", before - messages.size()}, {"message_count", messages.size()}};
}

Result<Value> Memory::Delete(const Value& body) {
  const threads::Lock lock(mutex_);
  return Value{{"deleted", conversations_.erase(IdIn(body)) > 0}};
}

}  // namespace requestrouter::direct
