#include "ipc/codec.h"
#include "ipc/decode_chat.h"
#include "ipc/names.h"

namespace requestrouter::ipc {
namespace {

Value BinaryOf(const std::string& bytes) {
  return Value::binary(std::vector<std::uint8_t>(bytes.begin(), bytes.end()));
}

Value ToValue(const Part& part) {
  if (const auto* text = std::get_if<TextPart>(&part)) {
    return {{"type", "text"}, {"text", text->text}};
  }
  const auto& image = std::get<ImagePart>(part);
  Value value = {{"type", "image"}};
  if (!image.mime_type.empty()) value["mime_type"] = image.mime_type;
  if (!image.url.empty()) {
    value["url"] = image.url;
  } else {
    value["data"] = BinaryOf(image.data);
  }
  return value;
}

bool IsOneText(const Message& message) {
  return message.parts.size() == 1 && std::holds_alternative<TextPart>(message.parts.front());
}

}  // namespace

Value ToValue(const ToolCall& call) {
  Value value = {{"id", call.id}, {"name", call.name}, {"arguments", call.arguments}};
  if (!call.provider_state.is_null()) value["provider_state"] = call.provider_state;
  return value;
}

Value ToValue(const Message& message) {
  Value value = {{"role", Name(message.role)}};
  if (IsOneText(message)) {
    value["content"] = TextOf(message);
  } else if (!message.parts.empty()) {
    value["content"] = Value::array();
    for (const Part& part : message.parts) value["content"].push_back(ToValue(part));
  }
  for (const ToolCall& call : message.tool_calls) value["tool_calls"].push_back(ToValue(call));
  if (!message.tool_call_id.empty()) value["tool_call_id"] = message.tool_call_id;
  if (!message.provider_state.is_null()) value["provider_state"] = message.provider_state;
  return value;
}

Result<Message> MessageFromValue(const Value& value) {
  std::optional<Error> error;
  Message message = ReadMessage(value, "message", &error);
  if (error) return tl::unexpected(*error);
  return message;
}

}  // namespace requestrouter::ipc
