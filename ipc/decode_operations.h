#pragma once

#include <optional>
#include <string_view>

#include "ipc/error.h"
#include "ipc/operations.h"

namespace requestrouter::ipc {

// Reads the body of the operation that is the alternative `index` of Body. Sets `error` to the
// first thing that is wrong.
Body ReadBody(std::size_t index, const Value& body, std::optional<Error>* error);

}  // namespace requestrouter::ipc
