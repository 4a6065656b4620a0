#include "daemon/upstream/sketch.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "daemon/upstream/dialect.h"
#include "daemon/upstream/prompt.h"

namespace requestrouter::upstream {
namespace {

constexpr std::size_t kDataUrlBytes = 256;  // of a data: URL, which says its type at its beginning

bool IsTextAlone(const ipc::Message& message) {
  return message.role != ipc::Role::kTool && message.tool_calls.empty() && !HasImage(message);
}

bool IsVisibleText(const ipc::Part& part) {
  const auto* text = std::get_if<ipc::TextPart>(&part);
  return text != nullptr && HasVisibleText(text->text);
}

ipc::Part SketchOf(const ipc::Part& part) {
  if (std::holds_alternative<ipc::TextPart>(part)) {
    return ipc::TextPart{IsVisibleText(part) ? "x" : ""};
  }
  const auto& image = std::get<ipc::ImagePart>(part);
  const bool holds_data = image.url.compare(0, 5, "data:") == 0;
  return ipc::ImagePart{image.mime_type, image.data.substr(0, 1),
                        holds_data ? image.url.substr(0, kDataUrlBytes) : image.url};
}

ipc::Message SketchOf(const ipc::Message& message) {
  ipc::Message sketch;
  sketch.role = message.role;
  for (const ipc::Part& part : message.parts) sketch.parts.push_back(SketchOf(part));
  for (const ipc::ToolCall& call : message.tool_calls) {
    sketch.tool_calls.push_back({call.id, call.name, "{}", call.provider_state});
  }
  sketch.tool_call_id = message.tool_call_id;
  sketch.provider_state = message.provider_state;
  return sketch;
}

bool SaysSomething(const ipc::Message& message) {
  return message.role != ipc::Role::kSystem &&
         std::any_of(message.parts.begin(), message.parts.end(), IsVisibleText);
}

bool HasPlainOptions(const ipc::ChatRequest& options) {
  return options.tools.empty() && options.tool_choice.mode == ipc::ToolChoice::Mode::kAuto &&
         options.response_format.kind == ipc::ResponseFormat::Kind::kText && !options.reasoning &&
         options.provider_options.is_null() && options.temperature <= 1 && options.stop.empty();
}

}  // namespace

bool IsPlain(const Prompt& prompt) {
  const auto& messages = prompt.messages;
  return HasPlainOptions(prompt.options) &&
         std::all_of(messages.begin(), messages.end(), IsTextAlone) &&
         std::any_of(messages.begin(), messages.end(), SaysSomething);
}

Prompt SketchOf(const Prompt& prompt) {
  Prompt sketch;
  sketch.options = prompt.options;
  bool says_something = false;
  for (const ipc::Message& message : prompt.messages) {
    const bool first_text = !says_something && SaysSomething(message);
    if (IsTextAlone(message) && !first_text) continue;
    says_something = says_something || first_text;
    sketch.messages.push_back(SketchOf(message));
  }
  return sketch;
}

std::optional<std::string> WhyNot(const std::shared_ptr<const Provider>& provider,
                                  const std::string& model,
                                  const std::shared_ptr<const Prompt>& sketch) {
  Attempt attempt;
  attempt.provider = provider;
  attempt.model = model;
  attempt.prompt = sketch;
  attempt.stream = sketch->options.stream;
  const auto request = DialectOf(provider->kind).Encode(attempt);
  if (request) return std::nullopt;
  return request.error();
}

}  // namespace requestrouter::upstream
