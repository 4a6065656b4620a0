#include "tests/upstream/dialect_fixture.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <utility>

namespace requestrouter::upstream {

ipc::Message Says(ipc::Role role, std::string text) {
  ipc::Message message;
  message.role = role;
  message.parts.emplace_back(ipc::TextPart{std::move(text)});
  return message;
}

ipc::Message Shows(ipc::ImagePart image) {
  ipc::Message message = Says(ipc::Role::kUser, "What is this?");
  message.parts.emplace_back(std::move(image));
  return message;
}

ipc::Message Calls(std::vector<ipc::ToolCall> calls) {
  ipc::Message message;
  message.role = ipc::Role::kAssistant;
  message.tool_calls = std::move(calls);
  return message;
}

ipc::Message Result(std::string call_id, std::string text) {
  ipc::Message message = Says(ipc::Role::kTool, std::move(text));
  message.tool_call_id = std::move(call_id);
  return message;
}

ipc::ToolCall Call(std::string id, std::string name, std::string arguments) {
  return {std::move(id), std::move(name), std::move(arguments), ipc::Value()};
}

Asking::Asking(ProviderKind kind, std::string model) {
  provider->kind = kind;
  provider->base_url = "https://provider.test";
  prompt->messages = {Says(ipc::Role::kUser, "Hi")};
  attempt.provider = provider;
  attempt.model = std::move(model);
  attempt.secret = kSecret;
  attempt.prompt = prompt;
}

Asking& Asking::Messages(std::vector<ipc::Message> messages) {
  prompt->messages = std::move(messages);
  return *this;
}

Asking& Asking::Streamed() {
  attempt.stream = true;
  return *this;
}

HttpRequest Asking::Request() const {
  auto request = DialectOf(provider->kind).Encode(attempt);
  if (request) return *std::move(request);
  ADD_FAILURE() << "refused: " << request.error();
  return HttpRequest{{}, {}, "{}"};
}

Json Asking::Body() const { return Json::parse(Request().body); }

std::string Asking::Refusal() const {
  const auto request = DialectOf(provider->kind).Encode(attempt);
  return request ? std::string() : request.error();
}

Asking AskGemini(std::string model) { return Asking(ProviderKind::kGemini, std::move(model)); }
Asking AskOpenAi(std::string model) { return Asking(ProviderKind::kOpenAi, std::move(model)); }
Asking AskAnthropic(std::string model) {
  return Asking(ProviderKind::kAnthropic, std::move(model));
}

Heard Hear(ProviderKind kind, const std::vector<std::string>& events) {
  const auto decoder = DialectOf(kind).NewStreamDecoder();
  Heard heard;
  for (const std::string& data : events) {
    auto deltas = decoder->OnEvent({}, data);
    if (!deltas) {
      heard.malformed = deltas.error();
      break;
    }
    for (ipc::ChatDelta& delta : *deltas) heard.deltas.push_back(std::move(delta));
  }
  heard.complete = decoder->complete();
  if (decoder->error() != nullptr) heard.error = decoder->error()->message;
  heard.answer = decoder->Take();
  return heard;
}

std::string TextOf(const std::vector<ipc::ChatDelta>& deltas) {
  std::string text;
  for (const ipc::ChatDelta& delta : deltas) text += delta.text;
  return text;
}

std::string ReasoningOf(const std::vector<ipc::ChatDelta>& deltas) {
  std::string text;
  for (const ipc::ChatDelta& delta : deltas) text += delta.reasoning;
  return text;
}

std::string ReadGolden(const std::string& path) {
  std::ifstream file(std::string(GOLDEN_DIR) + "/" + path);
  if (!file) ADD_FAILURE() << "no golden file " << path;
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::vector<std::string> ReadGoldenStream(const std::string& path) {
  std::vector<std::string> events;
  for (const ipc::Value& event : ipc::Value::parse(ReadGolden(path))) {
    events.push_back(event.is_string() ? event.get<std::string>() : event.dump());
  }
  return events;
}

}  // namespace requestrouter::upstream
