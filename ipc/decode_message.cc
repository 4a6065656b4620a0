#include "ipc/decode_message.h"

#include "ipc/bounds.h"
#include "ipc/fields.h"
#include "ipc/names.h"

namespace requestrouter::ipc {
namespace {

std::string ReadBinary(Fields& fields, const char* key) {
  const Value* data = fields.Find(key);
  if (!data) return "";
  if (!data->is_binary()) {
    fields.Fail(key, "must be a bin, is " + TypeName(*data));
    return "";
  }
  const auto& bytes = data->get_binary();
  return {bytes.begin(), bytes.end()};
}

Part ReadImage(Fields& fields) {
  ImagePart image{fields.Text("mime_type", bounds::kLabel), ReadBinary(fields, "data"),
                  fields.Text("url", bounds::kUrl)};
  if (image.data.empty() == image.url.empty()) {
    fields.Fail("data", "exactly one of data and url is required, and not empty");
  }
  if (!image.data.empty() && image.mime_type.empty()) {
    fields.Fail("mime_type", "is required beside data, such as image/png");
  }
  return image;
}

Part ReadPart(const Value& value, const std::string& path, std::optional<Error>* error) {
  Fields fields(value, path, error);
  const std::string type = fields.RequiredText("type");
  if (type == "image") return ReadImage(fields);
  if (type != "text") fields.Fail("type", "must be one of text, image, is " + Quoted(type));
  if (!fields.Has("text")) fields.Fail("text", "is required");
  return TextPart{fields.Text("text")};
}

std::vector<Part> ReadContent(Fields& fields) {
  const Value* content = fields.Find("content");
  if (!content) return {};
  if (content->is_string()) return {TextPart{content->get<std::string>()}};
  if (!content->is_array()) {
    fields.Fail("content", "must be a str or an array of parts, is " + TypeName(*content));
    return {};
  }
  std::vector<Part> parts;
  fields.Each("content", bounds::kParts, [&](const Value& part, const std::string& path) {
    parts.push_back(ReadPart(part, path, fields.error()));
  });
  return parts;
}

Value ReadState(const Fields& fields) {
  const Value* state = fields.Find("provider_state");
  return state ? *state : Value();
}

void CheckRole(Fields& fields, const Message& message) {
  const bool tool = message.role == Role::kTool;
  if (!message.tool_calls.empty() && message.role != Role::kAssistant) {
    fields.Fail("tool_calls", "only an assistant message has them");
  }
  if (!message.tool_call_id.empty() && !tool) {
    fields.Fail("tool_call_id", "only a tool message has one");
  }
  if (tool && message.tool_call_id.empty()) {
    fields.Fail("tool_call_id", "is required in a tool message");
  }
  if (message.parts.empty() && message.tool_calls.empty()) {
    fields.Fail("content", "is required (it may be missing only beside tool_calls)");
  }
}

}  // namespace

ToolCall ReadToolCall(const Value& value, const std::string& path, std::optional<Error>* error) {
  Fields fields(value, path, error);
  return {fields.RequiredText("id", bounds::kCallId), fields.RequiredText("name", bounds::kLabel),
          fields.Text("arguments"), ReadState(fields)};
}

Message ReadMessage(const Value& value, const std::string& path, std::optional<Error>* error) {
  Fields fields(value, path, error);
  Message message;
  if (!fields.Has("role")) fields.Fail("role", "is required");
  message.role = fields.Choice("role", &RoleFromName, Role::kUser, "system, user, assistant, tool");
  message.parts = ReadContent(fields);
  fields.Each("tool_calls", bounds::kToolCalls, [&](const Value& call, const std::string& at) {
    message.tool_calls.push_back(ReadToolCall(call, at, error));
  });
  message.tool_call_id = fields.Text("tool_call_id", bounds::kCallId);
  message.provider_state = ReadState(fields);
  CheckRole(fields, message);
  return message;
}

}  // namespace requestrouter::ipc
