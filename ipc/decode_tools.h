#pragma once

#include <vector>

#include "ipc/chat.h"
#include "ipc/fields.h"

namespace requestrouter::ipc {

// `tools` of a chat's body: their names differ.
std::vector<Tool> ReadTools(Fields& body);

// `tool_choice`; one that asks for a tool needs that tool among `tools`.
ToolChoice ReadToolChoice(Fields& body, const std::vector<Tool>& tools);

}  // namespace requestrouter::ipc
