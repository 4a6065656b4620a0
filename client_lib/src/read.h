#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ipc/value.h"

// Reading a daemon's reply leniently: a missing key or one of another type, as a newer or older
// daemon may send, gives the default.
namespace requestrouter::client {

std::string ReadText(const ipc::Value& map, std::string_view key);
std::optional<std::int64_t> ReadOptionalInt(const ipc::Value& map, std::string_view key);
inline std::int64_t ReadInt(const ipc::Value& map, std::string_view key) {
  return ReadOptionalInt(map, key).value_or(0);
}
bool ReadBool(const ipc::Value& map, std::string_view key);
std::vector<std::string> ReadTexts(const ipc::Value& map, std::string_view key);

// The map or array under `key`; null where there is none.
const ipc::Value& ReadChild(const ipc::Value& map, std::string_view key);

}  // namespace requestrouter::client
