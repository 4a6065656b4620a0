#pragma once

#include <nlohmann/json.hpp>

namespace requestrouter::ipc {

// A decoded MessagePack (or JSON) value whose shape this program does not fix: metadata, JSON
// schemas, provider options. Keeps the order of map keys, because providers answer structured
// output in the order of the schema they were given. Binary strings are Value::binary_t.
using Value = nlohmann::ordered_json;

}  // namespace requestrouter::ipc
