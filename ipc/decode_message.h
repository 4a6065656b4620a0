#pragma once

#include <optional>
#include <string>

#include "ipc/chat.h"
#include "ipc/error.h"

namespace requestrouter::ipc {

// One message, at `path` of the request. Sets `error` to the first thing that is wrong.
Message ReadMessage(const Value& value, const std::string& path, std::optional<Error>* error);

// One tool call of an assistant message, at `path`.
ToolCall ReadToolCall(const Value& value, const std::string& path, std::optional<Error>* error);

}  // namespace requestrouter::ipc
