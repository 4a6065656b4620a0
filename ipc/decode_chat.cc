#include "ipc/decode_chat.h"

#include <unordered_set>

#include "ipc/bounds.h"
#include "ipc/fields.h"
#include "ipc/names.h"

namespace requestrouter::ipc {
namespace {

std::string Indexed(const std::string& path, const char* key, std::size_t index) {
  return (path.empty() ? std::string(key) : path + "." + key) + "[" + std::to_string(index) + "]";
}

Part ReadImage(Fields& fields) {
  ImagePart image;
  image.mime_type = fields.Text("mime_type", bounds::kLabel);
  image.url = fields.Text("url", bounds::kUrl);
  if (const Value* data = fields.Find("data")) {
    if (data->is_binary()) {
      const auto& bytes = data->get_binary();
      image.data.assign(bytes.begin(), bytes.end());
    } else {
      fields.Fail("data", "must be a bin, is " + TypeName(*data));
    }
  }
  if (image.data.empty() == image.url.empty()) {
    fields.Fail("data", "exactly one of data and url is required");
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
  if (type != "text") fields.Fail("type", "must be one of text, image");
  if (!fields.Has("text")) fields.Fail("text", "is required");
  return TextPart{fields.Text("text")};
}

void ReadContent(Fields& fields, const std::string& path, Message* message,
                 std::optional<Error>* error) {
  const Value* content = fields.Find("content");
  if (!content) return;
  if (content->is_string()) {
    message->parts.emplace_back(TextPart{content->get<std::string>()});
  } else if (const Value* parts = fields.Array("content", bounds::kParts)) {
    for (std::size_t i = 0; i < parts->size(); ++i) {
      message->parts.push_back(ReadPart((*parts)[i], Indexed(path, "content", i), error));
    }
  }
}

void CheckRole(Fields& fields, const Message& message) {
  const bool assistant = message.role == Role::kAssistant;
  const bool tool = message.role == Role::kTool;
  if (!message.tool_calls.empty() && !assistant) {
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

Tool ReadTool(const Value& value, const std::string& path, std::optional<Error>* error) {
  Fields fields(value, path, error);
  Tool tool;
  tool.name = fields.RequiredText("name", bounds::kLabel);
  tool.description = fields.Text("description");
  tool.parameters = fields.Map("parameters");
  return tool;
}

std::vector<Tool> ReadTools(Fields& fields, std::optional<Error>* error) {
  std::vector<Tool> tools;
  std::unordered_set<std::string> names;
  const Value* array = fields.Array("tools", bounds::kTools);
  for (std::size_t i = 0; array && i < array->size(); ++i) {
    tools.push_back(ReadTool((*array)[i], Indexed("body", "tools", i), error));
    if (!names.insert(tools.back().name).second) {
      fields.Fail("tools", "two tools are named \"" + tools.back().name + "\"");
    }
  }
  return tools;
}

ToolChoice ReadToolChoice(Fields& fields, std::optional<Error>* error) {
  using Mode = ToolChoice::Mode;
  const Value* value = fields.Find("tool_choice");
  if (!value) return {};
  if (value->is_object()) {
    return {Mode::kNamed, Fields(*value, fields.Path("tool_choice"), error).RequiredText("name")};
  }
  const std::string word = fields.Text("tool_choice");
  if (word == "auto") return {Mode::kAuto, ""};
  if (word == "none") return {Mode::kNone, ""};
  if (word == "required") return {Mode::kRequired, ""};
  fields.Fail("tool_choice", "must be one of auto, none, required, or {name}");
  return {};
}

void CheckToolChoice(Fields& fields, const ChatRequest& chat) {
  using Mode = ToolChoice::Mode;
  const Mode mode = chat.tool_choice.mode;
  if ((mode == Mode::kRequired || mode == Mode::kNamed) && chat.tools.empty()) {
    fields.Fail("tool_choice", "asks for a tool, but there are no tools");
  }
  if (mode != Mode::kNamed) return;
  for (const Tool& tool : chat.tools) {
    if (tool.name == chat.tool_choice.name) return;
  }
  fields.Fail("tool_choice", "there is no tool named \"" + chat.tool_choice.name + "\"");
}

ResponseFormat ReadResponseFormat(Fields& body, std::optional<Error>* error) {
  using Kind = ResponseFormat::Kind;
  const Value* value = body.Find("response_format");
  if (!value) return {};
  Fields fields(*value, body.Path("response_format"), error);
  const std::string type = fields.RequiredText("type");
  if (type == "json_object") return {Kind::kJsonObject, "", nullptr};
  if (type == "text") return {};
  if (type != "json_schema") {
    fields.Fail("type", "must be one of json_object, json_schema");
    return {};
  }
  ResponseFormat format{Kind::kJsonSchema, fields.RequiredText("name", bounds::kLabel),
                        fields.Map("schema")};
  if (format.schema.is_null()) fields.Fail("schema", "is required: a map, the JSON schema");
  return format;
}

std::optional<Reasoning> ReadReasoning(Fields& body, std::optional<Error>* error) {
  const Value* value = body.Find("reasoning");
  if (!value) return std::nullopt;
  Fields fields(*value, body.Path("reasoning"), error);
  Reasoning reasoning;
  if (fields.Has("effort")) {
    reasoning.effort = fields.Choice("effort", &EffortFromName, Effort::kMedium,
                                     "low, medium, high");
  }
  reasoning.budget_tokens = fields.OptionalInteger("budget_tokens", {0, bounds::kTokens});
  if (reasoning.effort.has_value() == reasoning.budget_tokens.has_value()) {
    fields.Fail("effort", "exactly one of effort and budget_tokens is required");
  }
  return reasoning;
}

std::vector<std::string> ReadStop(Fields& fields) {
  const Value* value = fields.Find("stop");
  if (!value) return {};
  if (value->is_string()) return {fields.Text("stop", bounds::kStopBytes)};
  std::vector<std::string> stop;
  const Value* array = fields.Array("stop", bounds::kStops);
  for (std::size_t i = 0; array && i < array->size(); ++i) {
    const Value& one = (*array)[i];
    const bool fits = one.is_string() && one.get_ref<const std::string&>().size() <= bounds::kStopBytes;
    if (!fits) {
      fields.Fail("stop", "must be strs of at most " + std::to_string(bounds::kStopBytes) + " bytes");
      return {};
    }
    stop.push_back(one.get<std::string>());
  }
  return stop;
}

void ReadMessages(Fields& fields, ChatRequest* chat, std::optional<Error>* error) {
  if (fields.Has("prompt") == fields.Has("messages")) {
    fields.Fail("prompt", "exactly one of prompt and messages is required");
    return;
  }
  if (fields.Has("prompt")) {
    chat->messages.push_back(TextMessage(Role::kUser, fields.Text("prompt")));
    return;
  }
  const Value* array = fields.Array("messages", bounds::kMessages);
  if (!array) return;
  if (array->empty()) fields.Fail("messages", "must not be empty");
  for (std::size_t i = 0; i < array->size() && !*error; ++i) {
    chat->messages.push_back(ReadMessage((*array)[i], Indexed("body", "messages", i), error));
  }
}

// With a conv_id the call may be in the history: the daemon checks that.
void CheckToolCallIds(Fields& fields, const ChatRequest& chat) {
  if (!chat.conv_id.empty()) return;
  std::unordered_set<std::string> called;
  for (std::size_t i = 0; i < chat.messages.size(); ++i) {
    const Message& message = chat.messages[i];
    for (const ToolCall& call : message.tool_calls) called.insert(call.id);
    if (message.role == Role::kTool && !called.contains(message.tool_call_id)) {
      fields.Fail(("messages[" + std::to_string(i) + "].tool_call_id").c_str(),
                  "no earlier tool call has the id \"" + message.tool_call_id + "\"");
    }
  }
}

void ReadLabels(Fields& fields, ChatRequest* chat) {
  chat->user_id = fields.Text("user_id", bounds::kLabel);
  chat->agent = fields.Text("agent", bounds::kLabel);
  chat->metadata = fields.Map("metadata");
}

void ReadChoice(Fields& fields, ChatRequest* chat) {
  chat->model_preference = fields.Text("model_preference", bounds::kLabel);
  chat->workload = fields.Choice("workload", &WorkloadFromName, Workload::kAuto,
                                 "light, medium, heavy, auto");
  chat->allow_fallback = fields.OptionalFlag("allow_fallback");
  chat->priority = fields.Choice("priority", &PriorityFromName, Priority::kNormal,
                                 "interactive, normal, batch");
  chat->max_wait_ms = fields.OptionalInteger("max_wait_ms", {0, bounds::kDayMs});
  chat->on_unknown = fields.Choice("on_unknown", &OnUnknownFromName, OnUnknown::kResend,
                                   "resend, fail");
  chat->stream = fields.Flag("stream", false);
  chat->progress = fields.Flag("progress", false);
}

void ReadSampling(Fields& fields, ChatRequest* chat) {
  chat->expected_completion_tokens =
      fields.Integer("expected_completion_tokens", 512, {0, bounds::kTokens});
  chat->max_output_tokens = fields.Integer("max_output_tokens", 2048, {1, bounds::kTokens});
  chat->temperature = fields.OptionalNumber("temperature", 0, 2).value_or(0.7);
  chat->top_p = fields.OptionalNumber("top_p", 0, 1);
  chat->seed = fields.OptionalInteger("seed", {INT64_MIN, INT64_MAX});
  chat->stop = ReadStop(fields);
}

}  // namespace

ToolCall ReadToolCall(const Value& value, const std::string& path, std::optional<Error>* error) {
  Fields fields(value, path, error);
  ToolCall call;
  call.id = fields.RequiredText("id", bounds::kCallId);
  call.name = fields.RequiredText("name", bounds::kLabel);
  call.arguments = fields.Text("arguments");
  if (const Value* state = fields.Find("provider_state")) call.provider_state = *state;
  return call;
}

Message ReadMessage(const Value& value, const std::string& path, std::optional<Error>* error) {
  Fields fields(value, path, error);
  Message message;
  if (!fields.Has("role")) fields.Fail("role", "is required");
  message.role = fields.Choice("role", &RoleFromName, Role::kUser, "system, user, assistant, tool");
  ReadContent(fields, path, &message, error);
  const Value* calls = fields.Array("tool_calls", bounds::kToolCalls);
  for (std::size_t i = 0; calls && i < calls->size(); ++i) {
    message.tool_calls.push_back(
        ReadToolCall((*calls)[i], Indexed(path, "tool_calls", i), error));
  }
  message.tool_call_id = fields.Text("tool_call_id", bounds::kCallId);
  if (const Value* state = fields.Find("provider_state")) message.provider_state = *state;
  CheckRole(fields, message);
  return message;
}

ChatRequest ReadChat(const Value& body, std::optional<Error>* error) {
  Fields fields(body, "body", error);
  ChatRequest chat;
  ReadMessages(fields, &chat, error);
  chat.conv_id = fields.Text("conv_id", bounds::kConvId);
  chat.system_prompt = fields.OptionalText("system_prompt");
  ReadChoice(fields, &chat);
  ReadSampling(fields, &chat);
  chat.response_format = ReadResponseFormat(fields, error);
  chat.tools = ReadTools(fields, error);
  chat.tool_choice = ReadToolChoice(fields, error);
  CheckToolChoice(fields, chat);
  chat.reasoning = ReadReasoning(fields, error);
  chat.provider_options = fields.Map("provider_options");
  ReadLabels(fields, &chat);
  CheckToolCallIds(fields, chat);
  return chat;
}

}  // namespace requestrouter::ipc
