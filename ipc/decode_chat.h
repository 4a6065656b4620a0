#pragma once

#include <optional>

#include "ipc/chat.h"
#include "ipc/error.h"

namespace requestrouter::ipc {

// The body of a `chat` request. Sets `error` to the first thing that is wrong.
ChatRequest ReadChat(const Value& body, std::optional<Error>* error);

// One message, at `path` of the request.
Message ReadMessage(const Value& value, const std::string& path, std::optional<Error>* error);

// One tool call of an assistant message.
ToolCall ReadToolCall(const Value& value, const std::string& path, std::optional<Error>* error);

}  // namespace requestrouter::ipc
