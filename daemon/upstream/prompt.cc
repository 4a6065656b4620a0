#include "daemon/upstream/prompt.h"

#include <algorithm>
#include <utility>

#include "daemon/upstream/call_ids.h"
#include "daemon/upstream/json_bounds.h"
#include "daemon/upstream/json_view.h"

namespace requestrouter::upstream {

tl::expected<std::string, std::string> SystemText(const std::vector<ipc::Message>& messages) {
  std::string system;
  for (const ipc::Message& message : messages) {
    if (message.role != ipc::Role::kSystem) continue;
    if (HasImage(message)) return Refuse("messages.content: a system message cannot hold an image");
    const std::string text = ipc::TextOf(message);
    if (!HasVisibleText(text)) continue;
    if (!system.empty()) system += "\n\n";
    system += text;
  }
  return system;
}

bool HasVisibleText(std::string_view text) {
  return text.find_first_not_of(" \t\r\n\v\f") != std::string_view::npos;
}

bool HasImage(const ipc::Message& message) {
  return std::any_of(message.parts.begin(), message.parts.end(), [](const ipc::Part& part) {
    return std::holds_alternative<ipc::ImagePart>(part);
  });
}

ipc::Value ArgumentsObject(const ipc::ToolCall& call) {
  if (!HasVisibleText(call.arguments)) return ipc::Value::object();
  auto arguments = ParseJson(call.arguments);
  if (arguments && arguments->is_object()) return *std::move(arguments);
  ipc::Value wrapped = ipc::Value::object();
  wrapped["arguments"] = call.arguments;
  return wrapped;
}

std::size_t CutTurn(const std::vector<ipc::Message>& history, bool answers_tools) {
  const auto first = std::find_if(history.begin(), history.end(), [](const ipc::Message& message) {
    return message.role == ipc::Role::kUser;
  });
  if (first == history.end() && answers_tools) return 0;
  return static_cast<std::size_t>(first - history.begin());
}

tl::expected<void, std::string> CheckTools(const Prompt& prompt) {
  const ipc::ChatRequest& options = prompt.options;
  using Mode = ipc::ToolChoice::Mode;
  if (options.tool_choice.mode == Mode::kRequired && options.tools.empty()) {
    return Refuse("tool_choice: required, but there are no tools");
  }
  const auto is_chosen = [&](const ipc::Tool& tool) {
    return tool.name == options.tool_choice.name;
  };
  if (options.tool_choice.mode == Mode::kNamed &&
      std::none_of(options.tools.begin(), options.tools.end(), is_chosen)) {
    return Refuse("tool_choice: names a tool that is not among tools");
  }
  for (std::size_t i = 0; i < prompt.messages.size(); ++i) {
    const ipc::Message& message = prompt.messages[i];
    if (message.role == ipc::Role::kTool &&
        CalledFunction(prompt.messages, i, message.tool_call_id) == nullptr) {
      return Refuse("tool_call_id: no earlier call has this id");
    }
  }
  return {};
}

const ipc::Value* StateOf(const ipc::Value& state, std::string_view provider) {
  return TextMember(state, "provider") == provider ? &state : nullptr;
}

ipc::Value NewState(std::string_view provider) {
  ipc::Value state = ipc::Value::object();
  state["provider"] = std::string(provider);
  return state;
}

}  // namespace requestrouter::upstream
