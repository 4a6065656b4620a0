#include "daemon/upstream/json_schema.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "daemon/upstream/json_view.h"

namespace requestrouter::upstream {
namespace {

// Keywords whose value is a map of schemas, and those whose value is one schema or a list of them.
constexpr std::array<const char*, 5> kSchemaMaps = {"properties", "$defs", "definitions",
                                                    "patternProperties", "dependentSchemas"};
constexpr std::array<const char*, 5> kSchemas = {"items", "anyOf", "oneOf", "allOf", "prefixItems"};

template <std::size_t N>
bool Contains(const std::array<const char*, N>& words, std::string_view word) {
  return std::any_of(words.begin(), words.end(), [&](const char* w) { return word == w; });
}

// Calls `visit` on every direct subschema of `schema` until one answers false.
template <typename Schema, typename Visit>
bool EachSubschema(Schema& schema, const Visit& visit) {
  for (auto& [keyword, value] : schema.items()) {
    const bool is_map = Contains(kSchemaMaps, keyword) && value.is_object();
    const bool is_list = Contains(kSchemas, keyword) && value.is_array();
    if (is_map || is_list) {
      for (auto& subschema : value) {
        if (!visit(subschema)) return false;
      }
    } else if (Contains(kSchemas, keyword) && !visit(value)) {
      return false;
    }
  }
  return true;
}

bool IsObjectSchema(const ipc::Value& schema) {
  return TextMember(schema, "type") == "object" || ObjectMember(schema, "properties") != nullptr;
}

bool RequiresAllProperties(const ipc::Value& schema) {
  const ipc::Value* properties = ObjectMember(schema, "properties");
  if (properties == nullptr) return true;
  const ipc::Value* required = ArrayMember(schema, "required");
  if (required == nullptr) return properties->empty();
  for (const auto& [name, property] : properties->items()) {
    if (std::find(required->begin(), required->end(), ipc::Value(name)) == required->end()) {
      return false;
    }
  }
  return true;
}

bool IsClosed(const ipc::Value& schema) {
  const ipc::Value* additional = Member(schema, "additionalProperties");
  return additional != nullptr && additional->is_boolean() && !additional->get<bool>();
}

void Close(ipc::Value* schema) {
  if (!schema->is_object()) return;
  if (IsObjectSchema(*schema) && !schema->contains("additionalProperties")) {
    (*schema)["additionalProperties"] = false;
  }
  EachSubschema(*schema, [](ipc::Value& subschema) {
    Close(&subschema);
    return true;
  });
}

// ai.google.dev/api/caching#Schema.
constexpr std::array<const char*, 22> kGeminiKeywords = {
    "type",          "format",        "title",      "description",     "nullable",  "enum",
    "maxItems",      "minItems",      "properties", "required",        "minLength", "maxLength",
    "minProperties", "maxProperties", "pattern",    "example",         "anyOf",     "items",
    "minimum",       "maximum",       "default",    "propertyOrdering"};

bool IsTextList(const ipc::Value& value) {
  return value.is_array() && std::all_of(value.begin(), value.end(),
                                         [](const ipc::Value& word) { return word.is_string(); });
}

bool IsGeminiKeyword(const std::string& keyword, const ipc::Value& value) {
  if (!Contains(kGeminiKeywords, keyword)) return false;
  if (keyword == "type") return value.is_string();
  if (keyword == "enum") return IsTextList(value);
  return true;
}

}  // namespace

bool IsStrictSchema(const ipc::Value& schema) {
  if (!schema.is_object()) return false;
  if (IsObjectSchema(schema) && !(IsClosed(schema) && RequiresAllProperties(schema))) return false;
  return EachSubschema(schema,
                       [](const ipc::Value& subschema) { return IsStrictSchema(subschema); });
}

ipc::Value ClosedSchema(const ipc::Value& schema) {
  ipc::Value closed = schema;
  Close(&closed);
  return closed;
}

bool IsGeminiSchema(const ipc::Value& schema) {
  if (!schema.is_object()) return false;
  for (const auto& [keyword, value] : schema.items()) {
    if (!IsGeminiKeyword(keyword, value)) return false;
  }
  return EachSubschema(schema,
                       [](const ipc::Value& subschema) { return IsGeminiSchema(subschema); });
}

}  // namespace requestrouter::upstream
