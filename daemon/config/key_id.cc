#include "daemon/config/key_id.h"

#include <algorithm>
#include <cstddef>

#include "daemon/config/fields.h"

namespace requestrouter::config {
namespace {

constexpr std::size_t kLongestKeyId = 128;

}  // namespace

bool IsKeyId(std::string_view text) {
  const auto alphanumeric = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  };
  if (text.empty() || text.size() > kLongestKeyId || !alphanumeric(text.front())) return false;
  return std::all_of(text.begin(), text.end(), [&](char c) {
    return alphanumeric(c) || std::string_view("_-.:@+").find(c) != std::string_view::npos;
  });
}

std::string ReadKeyId(const ObjectReader& key) {
  if (!key.Has("key_id")) {
    key.Missing("key_id", "key_id is needed: a name of your choice", kKeyFields);
    return "";
  }
  const auto text = key.Text("key_id");
  if (!text || IsKeyId(*text)) return text.value_or("");
  key.Error("key_id", text->size() > kLongestKeyId
                          ? "is longer than 128 bytes"
                          : "must be of letters, digits and \"_-.:@+\" and begin with a letter or "
                            "digit, is " +
                                Quote(*text));
  return "";
}

std::string UpperCaseVariable(std::string key_id) {
  for (char& c : key_id) {
    const bool lower = c >= 'a' && c <= 'z';
    const bool kept = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z');
    c = lower ? static_cast<char>(c - 'a' + 'A') : kept ? c : '_';
  }
  return key_id;
}

}  // namespace requestrouter::config
