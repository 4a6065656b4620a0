#include "daemon/upstream/json_view.h"

#include <algorithm>

namespace requestrouter::upstream {
namespace {

constexpr std::int64_t kMaxCount = 1'000'000'000'000;

}  // namespace

const ipc::Value* Member(const ipc::Value& object, const char* key) {
  return ipc::FindMember(object, key);
}

const ipc::Value* ObjectMember(const ipc::Value& object, const char* key) {
  const ipc::Value* member = Member(object, key);
  return member != nullptr && member->is_object() ? member : nullptr;
}

const ipc::Value* ArrayMember(const ipc::Value& object, const char* key) {
  const ipc::Value* member = Member(object, key);
  return member != nullptr && member->is_array() ? member : nullptr;
}

const ipc::Value& ItemsOf(const ipc::Value& object, const char* key) {
  static const ipc::Value kNone = ipc::Value::array();
  const ipc::Value* member = ArrayMember(object, key);
  return member == nullptr ? kNone : *member;
}

std::string_view TextMember(const ipc::Value& object, const char* key) {
  const ipc::Value* member = Member(object, key);
  if (member == nullptr || !member->is_string()) return {};
  return member->get_ref<const std::string&>();
}

bool BoolMember(const ipc::Value& object, const char* key) {
  const ipc::Value* member = Member(object, key);
  return member != nullptr && member->is_boolean() && member->get<bool>();
}

std::int64_t CountMember(const ipc::Value& object, const char* key) {
  const ipc::Value* member = Member(object, key);
  if (member == nullptr || !member->is_number()) return 0;
  const double count = member->get<double>();
  if (!(count > 0)) return 0;
  return static_cast<std::int64_t>(std::min(count, static_cast<double>(kMaxCount)));
}

std::string Bounded(std::string_view text, std::size_t bytes) {
  if (text.size() > bytes) {
    while (bytes > 0 && (static_cast<unsigned char>(text[bytes]) & 0xC0) == 0x80) --bytes;
    text = text.substr(0, bytes);
  }
  std::string bounded(text);
  std::replace_if(
      bounded.begin(), bounded.end(),
      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }, ' ');
  return bounded;
}

}  // namespace requestrouter::upstream
