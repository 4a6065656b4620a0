#include "client_lib/src/read.h"

namespace requestrouter::client {

using ipc::Value;

const Value& ReadChild(const Value& map, std::string_view key) {
  static const Value null;
  if (!map.is_object()) return null;
  const auto found = map.find(std::string(key));
  return found == map.end() ? null : *found;
}

std::string ReadText(const Value& map, std::string_view key) {
  const Value& value = ReadChild(map, key);
  return value.is_string() ? value.get<std::string>() : std::string();
}

std::optional<std::int64_t> ReadOptionalInt(const Value& map, std::string_view key) {
  const Value& value = ReadChild(map, key);
  if (!value.is_number_integer()) return std::nullopt;
  return value.get<std::int64_t>();
}

bool ReadBool(const Value& map, std::string_view key) {
  const Value& value = ReadChild(map, key);
  return value.is_boolean() && value.get<bool>();
}

std::vector<std::string> ReadTexts(const Value& map, std::string_view key) {
  std::vector<std::string> texts;
  for (const Value& item : ReadChild(map, key)) {
    if (item.is_string()) texts.push_back(item.get<std::string>());
  }
  return texts;
}

}  // namespace requestrouter::client
