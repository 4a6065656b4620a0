#include "client_lib/routerctl/cells.h"

#include <chrono>

#include "client_lib/routerctl/text.h"
#include "client_lib/src/read.h"

namespace requestrouter::routerctl {

using ipc::Value;

std::string Cell(const Value& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number_integer()) return Count(value.get<std::int64_t>());
  if (value.is_null()) return "-";
  if (!value.is_object()) return value.dump();
  std::string text;
  for (const auto& [name, item] : value.items()) {
    text += (text.empty() ? "" : " ") + name + " " +
            (item.is_string() ? item.get<std::string>() : item.dump());
  }
  return text;
}

std::string DurationCell(const Value& row, std::string_view key) {
  const auto ms = client::ReadOptionalInt(row, key);
  return ms ? Duration(std::chrono::milliseconds(*ms)) : "-";
}

std::string Joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

}  // namespace requestrouter::routerctl
