#include "tests/support/sim/schema.h"

#include <algorithm>
#include <cstdint>
#include <map>

#include "tests/support/lower_case.h"

namespace requestrouter::sim {
namespace {

constexpr int kMaxDepth = 24;  // a schema may refer to itself

class Builder {
 public:
  explicit Builder(const Json& root) : root_(root) {}

  Json Build(const Json& schema, const std::string& name, int depth) const {
    if (depth > kMaxDepth || !schema.is_object()) return nullptr;
    for (const char* fixed : {"const", "default"}) {
      if (const Json* value = Find(schema, fixed)) return *value;
    }
    if (const Json& values = ItemsAt(schema, "enum"); !values.empty()) return values.front();
    if (const Json* target = Resolve(TextAt(schema, "$ref")))
      return Build(*target, name, depth + 1);
    for (const char* choice : {"anyOf", "oneOf"}) {
      const Json& options = ItemsAt(schema, choice);
      if (!options.empty()) return Build(options.front(), name, depth + 1);
    }
    if (const Json& all = ItemsAt(schema, "allOf"); !all.empty()) return Merged(all, name, depth);
    return OfType(TypeOf(schema), schema, name, depth);
  }

 private:
  const Json* Resolve(const std::string& reference) const {
    if (reference.rfind('#', 0) != 0) return nullptr;
    const Json::json_pointer pointer(reference.substr(1));
    return root_.contains(pointer) ? &root_.at(pointer) : nullptr;
  }

  Json Merged(const Json& all, const std::string& name, int depth) const {
    Json result = Json::object();
    for (const Json& part : all) {
      const Json value = Build(part, name, depth + 1);
      if (!value.is_object()) return value;
      result.update(value);
    }
    return result;
  }

  static std::string TypeOf(const Json& schema) {
    const Json* type = Find(schema, "type");
    if (type && type->is_string()) return support::LowerCase(type->get<std::string>());
    if (type && type->is_array() && !type->empty())
      return support::LowerCase(type->front().get<std::string>());
    return Find(schema, "properties") ? "object" : Find(schema, "items") ? "array" : "string";
  }

  Json OfType(const std::string& type, const Json& schema, const std::string& name,
              int depth) const {
    if (type == "object") return Object(schema, depth);
    if (type == "array") return Array(schema, name, depth);
    if (type == "string") return String(schema, name);
    if (type == "boolean") return true;
    if (type == "null") return nullptr;
    return Number(schema, type == "integer");
  }

  Json Object(const Json& schema, int depth) const {
    Json object = Json::object();
    const Json* properties = Find(schema, "properties");
    if (!properties) return object;
    const Json& required = ItemsAt(schema, "required");
    for (const auto& [key, value] : properties->items()) {
      const bool wanted =
          required.empty() || std::find(required.begin(), required.end(), key) != required.end();
      if (wanted) object[key] = Build(value, key, depth + 1);
    }
    return object;
  }

  Json Array(const Json& schema, const std::string& name, int depth) const {
    const std::int64_t most = IntAt(schema, "maxItems", 1);
    const std::int64_t count =
        std::max(IntAt(schema, "minItems", 0), std::min<std::int64_t>(1, most));
    const Json* items = Find(schema, "items");
    Json array = Json::array();
    for (std::int64_t i = 0; i < count && items; ++i) {
      array.push_back(Build(*items, name, depth + 1));
    }
    return array;
  }

  static Json String(const Json& schema, const std::string& name) {
    static const std::map<std::string, const char*> kFormats = {
        {"date-time", "2025-01-02T03:04:05Z"},
        {"date", "2025-01-02"},
        {"time", "03:04:05Z"},
        {"email", "someone@example.com"},
        {"uri", "https://example.com/"},
        {"uuid", "00000000-0000-4000-8000-000000000000"}};
    const auto format = kFormats.find(TextAt(schema, "format"));
    if (format != kFormats.end()) return format->second;
    std::string text = name;
    const auto least = static_cast<std::size_t>(IntAt(schema, "minLength", 0));
    const auto most = static_cast<std::size_t>(IntAt(schema, "maxLength", 1 << 20));
    if (text.size() < least) text.append(least - text.size(), '.');
    return text.substr(0, most);
  }

  static Json Number(const Json& schema, bool is_integer) {
    const Json* least = Find(schema, "minimum");
    const Json* above = Find(schema, "exclusiveMinimum");
    const Json* most = Find(schema, "maximum");
    double value = 1;
    if (least) value = std::max(value, least->get<double>());
    if (above && above->is_number()) value = std::max(value, above->get<double>() + 1);
    if (most) value = std::min(value, most->get<double>());
    if (is_integer) return static_cast<std::int64_t>(value);
    return value;
  }

  const Json& root_;
};

}  // namespace

Json InstanceOf(const Json& schema, const std::string& name) {
  return Builder(schema).Build(schema, name, 0);
}

}  // namespace requestrouter::sim
