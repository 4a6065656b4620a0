#include "ipc/chat.h"

namespace requestrouter::ipc {

Message TextMessage(Role role, std::string text) {
  Message message;
  message.role = role;
  message.parts.emplace_back(TextPart{std::move(text)});
  return message;
}

std::string TextOf(const Message& message) {
  std::string text;
  for (const Part& part : message.parts) {
    if (const auto* piece = std::get_if<TextPart>(&part)) text += piece->text;
  }
  return text;
}

}  // namespace requestrouter::ipc
