#include "tests/support/sim/json.h"

#include <cstdint>

namespace requestrouter::sim {

std::string Dump(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

const Json* Find(const Json& object, const char* key) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(key);
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

std::string TextAt(const Json& object, const char* key) {
  const Json* value = Find(object, key);
  return value && value->is_string() ? value->get<std::string>() : std::string();
}

std::int64_t IntAt(const Json& object, const char* key, std::int64_t otherwise) {
  const Json* value = Find(object, key);
  return value && value->is_number() ? value->get<std::int64_t>() : otherwise;
}

bool BoolAt(const Json& object, const char* key) {
  const Json* value = Find(object, key);
  return value && value->is_boolean() && value->get<bool>();
}

const Json& ItemsAt(const Json& object, const char* key) {
  static const Json empty = Json::array();
  const Json* value = Find(object, key);
  return value && value->is_array() ? *value : empty;
}

}  // namespace requestrouter::sim
