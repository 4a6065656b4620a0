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

}  // namespace requestrouter::ipc
