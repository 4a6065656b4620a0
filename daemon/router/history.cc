#include "daemon/router/history.h"

#include <algorithm>
#include <optional>
#include <unordered_set>

#include "daemon/upstream/prompt.h"
#include "ipc/codec.h"
#include "ipc/names.h"
#include "ipc/wire_value.h"

namespace requestrouter::router {
namespace {

// Whether the text alone says all there is to say.
bool IsPlain(const ipc::Message& message) {
  const bool text_only =
      message.parts.size() == 1 && std::holds_alternative<ipc::TextPart>(message.parts.front());
  return text_only && message.tool_calls.empty() && message.tool_call_id.empty() &&
         message.provider_state.is_null();
}

// Where the turns begin; the first message counts as one.
std::vector<std::size_t> TurnStarts(const std::vector<ipc::Message>& history) {
  std::vector<std::size_t> starts;
  for (std::size_t i = 0; i < history.size(); ++i) {
    const bool follows_user = i > 0 && history[i - 1].role == ipc::Role::kUser;
    if (i == 0 || (history[i].role == ipc::Role::kUser && !follows_user)) starts.push_back(i);
  }
  return starts;
}

}  // namespace

ipc::Result<ipc::Message> FromStored(const storage::StoredMessage& stored) {
  if (!stored.payload.empty()) {
    const auto value = ipc::DecodeValue(stored.payload, ipc::Limits{SIZE_MAX, 64});
    if (value) return ipc::MessageFromValue(*value);
    return ipc::Fail(ipc::ErrorType::kInternalError, "a stored message: " + value.error());
  }
  const std::optional<ipc::Role> role = ipc::RoleFromName(stored.role);
  if (!role) {
    return ipc::Fail(ipc::ErrorType::kInternalError, "a stored message has no role that is known");
  }
  return ipc::TextMessage(*role, stored.text);
}

storage::StoredMessage ToStored(const ipc::Message& message, storage::Millis at) {
  storage::StoredMessage stored;
  stored.role = ipc::Name(message.role);
  stored.text = ipc::TextOf(message);
  stored.at = at;
  if (!IsPlain(message)) {
    stored.payload = ipc::EncodeValue(ipc::ToValue(message));
  }
  return stored;
}

std::int64_t BytesOf(const ipc::Message& message) {
  std::size_t bytes = message.tool_call_id.size();
  for (const ipc::Part& part : message.parts) {
    if (const auto* text = std::get_if<ipc::TextPart>(&part)) bytes += text->text.size();
  }
  for (const ipc::ToolCall& call : message.tool_calls) {
    bytes += call.name.size() + call.arguments.size();
  }
  return static_cast<std::int64_t>(bytes);
}

std::int64_t ImagesOf(const ipc::Message& message) {
  return std::count_if(message.parts.begin(), message.parts.end(), [](const ipc::Part& part) {
    return std::holds_alternative<ipc::ImagePart>(part);
  });
}

ipc::Result<void> CheckToolCallIds(const std::vector<ipc::Message>& history,
                                   const std::vector<ipc::Message>& messages) {
  std::unordered_set<std::string> called;
  const auto note_calls = [&called](const ipc::Message& message) {
    for (const ipc::ToolCall& call : message.tool_calls) called.insert(call.id);
  };
  std::for_each(history.begin(), history.end(), note_calls);
  for (std::size_t i = 0; i < messages.size(); ++i) {
    note_calls(messages[i]);
    if (messages[i].role == ipc::Role::kTool && !called.contains(messages[i].tool_call_id)) {
      return ipc::Fail(ipc::ErrorType::kInvalidRequest,
                       "messages[" + std::to_string(i) +
                           "].tool_call_id: no earlier tool call has"
                           " the id \"" +
                           messages[i].tool_call_id + "\"");
    }
  }
  return {};
}

void DropCutTurn(std::vector<ipc::Message>& history, bool answers_tools) {
  const std::size_t cut = upstream::CutTurn(history, answers_tools);
  history.erase(history.begin(), history.begin() + static_cast<std::ptrdiff_t>(cut));
}

std::size_t TrimHistory(std::vector<ipc::Message>& history, std::int64_t budget_bytes,
                        bool keep_last_turn) {
  const std::vector<std::size_t> starts = TurnStarts(history);
  std::size_t cut = history.size();
  std::int64_t kept_bytes = 0;
  for (std::size_t turn = starts.size(); turn-- > 0;) {
    for (std::size_t i = starts[turn]; i < cut; ++i) kept_bytes += BytesOf(history[i]);
    const bool must_stay = keep_last_turn && turn + 1 == starts.size();
    if (kept_bytes > budget_bytes && !must_stay) break;
    cut = starts[turn];
  }
  history.erase(history.begin(), history.begin() + static_cast<std::ptrdiff_t>(cut));
  return cut;
}

}  // namespace requestrouter::router
