#include "daemon/upstream/json_bounds.h"

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <optional>
#include <utility>

#include "ipc/utf8.h"

namespace requestrouter::upstream {
namespace {

// Follows brackets and colons outside of strings. What it says of malformed text does not matter:
// the parser refuses that.
class BoundsScan {
 public:
  // What is exceeded, or nullptr.
  const char* Run(std::string_view text) {
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '"') {
        i = EndOfString(text, i);
      } else if (const char* excess = OnCharacter(text[i])) {
        return excess;
      }
    }
    return nullptr;
  }

 private:
  static std::size_t EndOfString(std::string_view text, std::size_t begin) {
    for (std::size_t i = begin + 1; i < text.size(); ++i) {
      if (text[i] == '\\') {
        ++i;
      } else if (text[i] == '"') {
        return i;
      }
    }
    return text.size();
  }

  const char* OnCharacter(char c) {
    if (c == '{' || c == '[') return Open();
    if (c == '}' || c == ']') return Close();
    if (c == ':' && depth_ > 0) return OnKey();
    return nullptr;
  }

  const char* Open() {
    if (depth_ == kMaxJsonDepth) return "JSON nests too deep";
    keys_[depth_++] = 0;
    return nullptr;
  }

  const char* Close() {
    if (depth_ > 0) --depth_;
    return nullptr;
  }

  // The n-th key costs n comparisons, and n squared is their sum twice over.
  const char* OnKey() {
    work_ += 2 * ++keys_[depth_ - 1] - 1;
    return work_ > kMaxJsonKeyWork ? "JSON has too many keys" : nullptr;
  }

  std::array<std::size_t, kMaxJsonDepth> keys_{};
  std::size_t depth_ = 0;
  std::size_t work_ = 0;
};

// simdjson's tree as a value. False: too many keys.
class TreeBuilder {
 public:
  bool Build(simdjson::dom::element from, ipc::Value* to) {
    switch (from.type()) {
      case simdjson::dom::element_type::OBJECT:
        return BuildObject(from.get_object().value_unsafe(), to);
      case simdjson::dom::element_type::ARRAY:
        return BuildArray(from.get_array().value_unsafe(), to);
      case simdjson::dom::element_type::STRING:
        *to = from.get_string().value_unsafe();
        return true;
      case simdjson::dom::element_type::INT64:
        BuildInteger(from.get_int64().value_unsafe(), to);
        return true;
      case simdjson::dom::element_type::UINT64:
        *to = from.get_uint64().value_unsafe();
        return true;
      case simdjson::dom::element_type::DOUBLE:
        *to = from.get_double().value_unsafe();
        return true;
      case simdjson::dom::element_type::BOOL:
        *to = from.get_bool().value_unsafe();
        return true;
      case simdjson::dom::element_type::NULL_VALUE:
        return true;
    }
    return false;
  }

 private:
  using Entries = ipc::Value::object_t::Container;

  // As nlohmann-json reads them: what is not negative is unsigned.
  static void BuildInteger(std::int64_t number, ipc::Value* to) {
    if (number < 0) {
      *to = number;
    } else {
      *to = static_cast<std::uint64_t>(number);
    }
  }

  bool BuildArray(simdjson::dom::array from, ipc::Value* to) {
    *to = ipc::Value(ipc::Value::value_t::array);
    auto& elements = to->get_ref<ipc::Value::array_t&>();
    elements.reserve(from.size());
    for (const simdjson::dom::element element : from) {
      if (!Build(element, &elements.emplace_back())) return false;
    }
    return true;
  }

  // Of a key that comes twice the last value counts.
  bool BuildObject(simdjson::dom::object from, ipc::Value* to) {
    *to = ipc::Value(ipc::Value::value_t::object);
    auto& entries = static_cast<Entries&>(to->get_ref<ipc::Value::object_t&>());
    entries.reserve(from.size());
    std::size_t keys = 0;
    for (const auto [key, element] : from) {
      work_ += 2 * ++keys - 1;
      if (work_ > kMaxJsonKeyWork || !Build(element, Entry(key, entries))) return false;
    }
    return true;
  }

  // The map's own access makes a string of the key twice.
  static ipc::Value* Entry(std::string_view key, Entries& entries) {
    const auto same = [key](const Entries::value_type& entry) { return entry.first == key; };
    const auto found = std::find_if(entries.begin(), entries.end(), same);
    if (found != entries.end()) return &found->second;
    return &entries.emplace_back(std::string(key), nullptr).second;
  }

  std::size_t work_ = 0;
};

// Memory that the parser keeps for the next text; larger ones bring their own.
constexpr std::size_t kUsualBytes = 64u << 10;

std::optional<ipc::Value> ParseFast(std::string_view text) {
  thread_local simdjson::dom::parser usual;
  simdjson::dom::parser large;
  simdjson::dom::parser& parser = text.size() <= kUsualBytes ? usual : large;
  if (parser.max_depth() != kMaxJsonDepth || parser.capacity() < text.size()) {
    if (parser.allocate(std::max<std::size_t>(text.size(), 4096), kMaxJsonDepth))
      return std::nullopt;
  }
  simdjson::dom::element root;
  if (parser.parse(text.data(), text.size()).get(root)) return std::nullopt;
  std::optional<ipc::Value> value(std::in_place);
  if (!TreeBuilder().Build(root, &*value)) return std::nullopt;
  return value;
}

// Appends JSON to a string. Runs of plain characters are copied at once.
class Writer {
 public:
  explicit Writer(std::string* text) : text_(*text) {}

  void Write(const ipc::Value& value) {
    using Type = ipc::Value::value_t;
    switch (value.type()) {
      case Type::object:
        return WriteObject(value.get_ref<const ipc::Value::object_t&>());
      case Type::array:
        return WriteArray(value.get_ref<const ipc::Value::array_t&>());
      case Type::string:
        return WriteString(value.get_ref<const std::string&>());
      case Type::boolean:
        text_ += value.get<bool>() ? "true" : "false";
        return;
      case Type::number_integer:
        return WriteInteger(value.get<std::int64_t>());
      case Type::number_unsigned:
        return WriteInteger(value.get<std::uint64_t>());
      case Type::number_float:
        return WriteFloat(value.get<double>());
      case Type::null:
      case Type::binary:
      case Type::discarded:
        text_ += value.dump();
    }
  }

 private:
  template <typename Integer>
  void WriteInteger(Integer number) {
    std::array<char, 24> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
    text_.append(digits.data(), end);
  }

  // The fewest digits that read back as this number; a whole one stays a float.
  void WriteFloat(double number) {
    if (!std::isfinite(number)) {
      text_ += "null";
      return;
    }
    std::array<char, 32> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
    const std::string_view written(digits.data(), end);
    text_ += written;
    if (written.find_first_of(".e") == std::string_view::npos) text_ += ".0";
  }

  void WriteObject(const ipc::Value::object_t& object) {
    char separator = '{';
    for (const auto& [key, value] : object) {
      text_ += std::exchange(separator, ',');
      WriteString(key);
      text_ += ':';
      Write(value);
    }
    text_ += object.empty() ? "{}" : "}";
  }

  void WriteArray(const ipc::Value::array_t& array) {
    char separator = '[';
    for (const ipc::Value& value : array) {
      text_ += std::exchange(separator, ',');
      Write(value);
    }
    text_ += array.empty() ? "[]" : "]";
  }

  void WriteString(std::string_view string) {
    if (!ipc::IsUtf8(string)) return WriteString(ipc::ReplaceInvalidUtf8(string));
    text_ += '"';
    while (!string.empty()) {
      const std::size_t plain = PlainPrefix(string);
      text_.append(string.substr(0, plain));
      if (plain < string.size()) WriteEscaped(string[plain]);
      string.remove_prefix(std::min(plain + 1, string.size()));
    }
    text_ += '"';
  }

  static bool NeedsEscape(unsigned char c) { return (c < 0x20) | (c == '"') | (c == '\\'); }

  // Without a branch, so that the compiler looks at many at a time.
  static constexpr std::size_t kBlock = 32;
  static bool IsPlainBlock(const char* block) {
    unsigned char escapes = 0;
    for (std::size_t i = 0; i < kBlock; ++i) {
      escapes |= NeedsEscape(static_cast<unsigned char>(block[i]));
    }
    return escapes == 0;
  }

  // The number of characters at the front that need no escape.
  static std::size_t PlainPrefix(std::string_view text) {
    std::size_t at = 0;
    while (at + kBlock <= text.size() && IsPlainBlock(text.data() + at)) at += kBlock;
    while (at < text.size() && !NeedsEscape(static_cast<unsigned char>(text[at]))) ++at;
    return at;
  }

  void WriteEscaped(char c) {
    constexpr std::string_view kShort = "\b\t\n\f\r\"\\";
    constexpr std::string_view kLetters = "btnfr\"\\";
    constexpr std::string_view kHex = "0123456789abcdef";
    const std::size_t known = kShort.find(c);
    text_ += '\\';
    if (known != std::string_view::npos) {
      text_ += kLetters[known];
      return;
    }
    text_ += "u00";
    text_ += kHex[static_cast<unsigned char>(c) >> 4];
    text_ += kHex[static_cast<unsigned char>(c) & 0xF];
  }

  std::string& text_;
};

tl::expected<ipc::Value, std::string> Parse(std::string_view text) {
  if (auto value = ParseFast(text)) return *std::move(value);
  if (const char* excess = BoundsScan().Run(text)) return tl::unexpected(std::string(excess));
  ipc::Value value = ipc::Value::parse(text, nullptr, /*allow_exceptions=*/false);
  if (value.is_discarded()) return tl::unexpected(std::string("not JSON"));
  return value;
}

}  // namespace

ParsedJson ParseJson(std::string_view text) { return ParsedJson(Parse(text)); }

std::string DumpJson(const ipc::Value& value) {
  thread_local std::string text;  // keeps its room
  text.clear();
  Writer(&text).Write(value);
  std::string copy = text;
  if (text.capacity() > kUsualBytes) std::string().swap(text);
  return copy;
}

}  // namespace requestrouter::upstream
