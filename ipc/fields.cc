#include "ipc/fields.h"

#include <cmath>

namespace requestrouter::ipc {
namespace {

std::string Range(Fields::Bounds bounds) {
  return "must be an int from " + std::to_string(bounds.least) + " to " +
         std::to_string(bounds.most);
}

}  // namespace

std::string TypeName(const Value& value) {
  if (value.is_null()) return "nil";
  if (value.is_boolean()) return "a bool";
  if (value.is_number_integer()) return "an int";
  if (value.is_number()) return "a float";
  if (value.is_string()) return "a str";
  if (value.is_binary()) return "a bin";
  return value.is_array() ? "an array" : "a map";
}

std::optional<std::int64_t> WholeNumber(const Value& value) {
  if (value.is_number_unsigned()) {
    const auto number = value.get<std::uint64_t>();
    if (number > INT64_MAX) return std::nullopt;
    return static_cast<std::int64_t>(number);
  }
  if (value.is_number_integer()) return value.get<std::int64_t>();
  if (!value.is_number_float()) return std::nullopt;
  const auto number = value.get<double>();
  constexpr double kExact = 9'007'199'254'740'992.0;  // 2^53: whole numbers are exact up to here
  if (std::abs(number) > kExact || number != std::trunc(number)) return std::nullopt;
  return static_cast<std::int64_t>(number);
}

std::optional<Error> CheckText(const Value& value, const std::string& path,
                               std::size_t most_bytes) {
  std::string is = TypeName(value);
  if (value.is_string()) {
    const std::size_t size = value.get_ref<const std::string&>().size();
    if (size >= 1 && size <= most_bytes) return std::nullopt;
    is += " of " + std::to_string(size);
  }
  return MakeError(ErrorType::kInvalidRequest, path + ": must be a str of 1 to " +
                                                   std::to_string(most_bytes) + " bytes, is " + is);
}

Fields::Fields(const Value& map, std::string path, std::optional<Error>* error)
    : map_(map), path_(std::move(path)), error_(error) {
  if (!map_.is_object() && !*error_) {
    *error_ = MakeError(ErrorType::kInvalidRequest, (path_.empty() ? "the payload" : path_) +
                                                        ": must be a map, is " + TypeName(map_));
  }
}

std::string Fields::Path(const char* key) const {
  return path_.empty() ? std::string(key) : path_ + "." + key;
}

void Fields::Fail(const char* key, const std::string& problem) {
  if (*error_) return;
  *error_ = MakeError(ErrorType::kInvalidRequest, Path(key) + ": " + problem);
}

const Value* Fields::Find(const char* key) const {
  const Value* found = FindMember(map_, key);
  return found && !found->is_null() ? found : nullptr;
}

std::optional<std::string> Fields::OptionalText(const char* key, std::size_t most_bytes) {
  const Value* value = Find(key);
  if (!value) return std::nullopt;
  if (!value->is_string()) {
    Fail(key, "must be a str, is " + TypeName(*value));
    return std::nullopt;
  }
  const auto& text = value->get_ref<const std::string&>();
  if (text.size() > most_bytes) {
    Fail(key, "must be at most " + std::to_string(most_bytes) + " bytes, is " +
                  std::to_string(text.size()));
    return std::nullopt;
  }
  return text;
}

std::string Fields::Text(const char* key, std::size_t most_bytes) {
  return OptionalText(key, most_bytes).value_or("");
}

std::string Fields::RequiredText(const char* key, std::size_t most_bytes) {
  std::string text = Text(key, most_bytes);
  if (text.empty()) Fail(key, "is required: a str of at least 1 byte");
  return text;
}

std::optional<bool> Fields::OptionalFlag(const char* key) {
  const Value* value = Find(key);
  if (!value) return std::nullopt;
  if (!value->is_boolean()) {
    Fail(key, "must be a bool, is " + TypeName(*value));
    return std::nullopt;
  }
  return value->get<bool>();
}

bool Fields::Flag(const char* key, bool fallback) { return OptionalFlag(key).value_or(fallback); }

std::optional<std::int64_t> Fields::OptionalInteger(const char* key, Bounds bounds) {
  const Value* value = Find(key);
  if (!value) return std::nullopt;
  if (!value->is_number()) {
    Fail(key, Range(bounds) + ", is " + TypeName(*value));
    return std::nullopt;
  }
  const std::optional<std::int64_t> number = WholeNumber(*value);
  if (!number || *number < bounds.least || *number > bounds.most) {
    Fail(key, Range(bounds) + ", is " + value->dump());
    return std::nullopt;
  }
  return number;
}

std::int64_t Fields::Integer(const char* key, std::int64_t fallback, Bounds bounds) {
  return OptionalInteger(key, bounds).value_or(fallback);
}

std::optional<double> Fields::OptionalNumber(const char* key, double least, double most) {
  const Value* value = Find(key);
  if (!value) return std::nullopt;
  if (!value->is_number()) {
    Fail(key, "must be a number, is " + TypeName(*value));
    return std::nullopt;
  }
  const auto number = value->get<double>();
  if (number < least || number > most) {
    Fail(key, "must be from " + Value(least).dump() + " to " + Value(most).dump() + ", is " +
                  Value(number).dump());
    return std::nullopt;
  }
  return number;
}

Value Fields::Map(const char* key) {
  const Value* value = Find(key);
  if (!value) return nullptr;
  if (!value->is_object()) {
    Fail(key, "must be a map, is " + TypeName(*value));
    return nullptr;
  }
  return *value;
}

const Value* Fields::Array(const char* key, std::size_t most_elements) {
  const Value* value = Find(key);
  if (!value) return nullptr;
  if (!value->is_array()) {
    Fail(key, "must be an array, is " + TypeName(*value));
    return nullptr;
  }
  if (value->size() > most_elements) {
    Fail(key, "must have at most " + std::to_string(most_elements) + " elements, has " +
                  std::to_string(value->size()));
    return nullptr;
  }
  return value;
}

}  // namespace requestrouter::ipc
