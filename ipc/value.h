#pragma once

#include <string_view>

#include <nlohmann/json.hpp>

namespace requestrouter::ipc {

// A decoded MessagePack (or JSON) value whose shape this program does not fix: metadata, JSON
// schemas, provider options. Keeps the order of map keys, because providers answer structured
// output in the order of the schema they were given. Binary strings are Value::binary_t.
using Value = nlohmann::ordered_json;

// What the map has at `key`, owned by it; nullptr where it has nothing there or is no map. For hot
// paths: the map's own find() measures the key anew for each entry.
inline const Value* FindMember(const Value& map, std::string_view key) {
  if (!map.is_object()) return nullptr;
  for (const auto& [name, value] : map.get_ref<const Value::object_t&>()) {
    if (name == key) return &value;
  }
  return nullptr;
}

// Leaves nothing of a value, the innermost parts first. Its own destructor moves all of them to a
// list, so as to free any depth, which takes as long as building them did; this is as deep as the
// value, for those of bounded depth.
void Dismantle(Value* value);

}  // namespace requestrouter::ipc
