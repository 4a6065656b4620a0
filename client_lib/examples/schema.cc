#include "schema.h"

#include <algorithm>

namespace requestrouter::examples {
namespace {

using nlohmann::json;

bool IsOfType(const json& value, const std::string& type) {
  if (type == "integer") return value.is_number_integer();
  if (type == "number") return value.is_number();
  return type == value.type_name();
}

void Append(std::vector<std::string>& mistakes, std::vector<std::string> more) {
  mistakes.insert(mistakes.end(), more.begin(), more.end());
}

std::vector<std::string> MistakesInMembers(const json& value, const json& schema,
                                           const std::string& path) {
  std::vector<std::string> mistakes;
  const json required = schema.value("required", json::array());
  for (const std::string name : required) {
    if (!value.contains(name)) mistakes.push_back(path + " lacks \"" + name + "\"");
  }
  const json properties = schema.value("properties", json::object());
  for (const auto& [name, member] : properties.items()) {
    if (value.contains(name)) {
      Append(mistakes, Mistakes(value.at(name), member, path + "." + name));
    }
  }
  return mistakes;
}

std::vector<std::string> MistakesInItems(const json& value, const json& schema,
                                         const std::string& path) {
  std::vector<std::string> mistakes;
  const auto fewest = schema.value("minItems", std::size_t{0});
  if (value.size() < fewest) {
    mistakes.push_back(path + " must have at least " + std::to_string(fewest) + " item(s)");
  }
  for (std::size_t i = 0; i < value.size() && schema.contains("items"); ++i) {
    Append(mistakes,
           Mistakes(value.at(i), schema.at("items"), path + "[" + std::to_string(i) + "]"));
  }
  return mistakes;
}

}  // namespace

std::vector<std::string> Mistakes(const json& value, const json& schema, const std::string& path) {
  const auto type = schema.value("type", std::string());
  if (!type.empty() && !IsOfType(value, type)) {
    return {path + " must be of type " + type + ", is " + value.type_name()};
  }
  if (schema.contains("enum")) {
    const json& allowed = schema.at("enum");
    if (std::find(allowed.begin(), allowed.end(), value) == allowed.end()) {
      return {path + " must be one of " + allowed.dump()};
    }
  }
  if (value.is_string() &&
      value.get_ref<const std::string&>().size() < schema.value("minLength", std::size_t{0})) {
    return {path + " must not be empty"};
  }
  if (value.is_object()) return MistakesInMembers(value, schema, path);
  if (value.is_array()) return MistakesInItems(value, schema, path);
  return {};
}

}  // namespace requestrouter::examples
