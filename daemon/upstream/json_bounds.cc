#include "daemon/upstream/json_bounds.h"

#include <array>

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

}  // namespace

tl::expected<ipc::Value, std::string> ParseJson(std::string_view text) {
  if (const char* excess = BoundsScan().Run(text)) return tl::unexpected(std::string(excess));
  ipc::Value value = ipc::Value::parse(text, nullptr, /*allow_exceptions=*/false);
  if (value.is_discarded()) return tl::unexpected(std::string("not JSON"));
  return value;
}

std::string DumpJson(const ipc::Value& value) {
  return value.dump(-1, ' ', false, ipc::Value::error_handler_t::replace);
}

}  // namespace requestrouter::upstream
