#pragma once

#include "ipc/chat.h"
#include "ipc/fields.h"

namespace requestrouter::ipc {

// The body of a `chat` request; what is wrong with it is in the fields' error.
ChatRequest ReadChat(Fields& body);

}  // namespace requestrouter::ipc
