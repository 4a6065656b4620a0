#include "ipc/value_builder.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "ipc/bounds.h"
#include "ipc/quote.h"
#include "ipc/utf8.h"

namespace requestrouter::ipc {
namespace {

Error TooManyElements() {
  return MakeError(ErrorType::kPayloadTooLarge,
                   "the payload has more than " + std::to_string(bounds::kElements) +
                       " elements in its arrays and maps",
                   {{"limit", bounds::kElements}});
}

}  // namespace

void ValueBuilder::Refuse(Error error) {
  if (!result_.error) result_.error = std::move(error);
}

DecodedPayload ValueBuilder::Take() && {
  if (result_.error) result_.value = nullptr;
  if (broken_) result_.id.clear();
  return std::move(result_);
}

bool ValueBuilder::visit_nil() {
  return Scalar("nil", [] { return Value(); });
}

bool ValueBuilder::visit_boolean(bool value) {
  return Scalar("a bool", [value] { return Value(value); });
}

bool ValueBuilder::visit_positive_integer(std::uint64_t value) {
  return Scalar("an int", [value] { return Value(value); });
}

bool ValueBuilder::visit_negative_integer(std::int64_t value) {
  return Scalar("an int", [value] { return Value(value); });
}

bool ValueBuilder::visit_float32(float value) { return visit_float64(static_cast<double>(value)); }

bool ValueBuilder::visit_float64(double value) {
  return Scalar("a float", [this, value] {
    if (!std::isfinite(value)) Invalid("must be a finite number");
    return Value(value);
  });
}

bool ValueBuilder::visit_str(const char* data, std::uint32_t size) {
  const std::string_view text(data, size);
  if (InKey()) return Key(text);
  NoticeId(text);
  return Scalar("a str", [this, text] {
    if (!IsUtf8(text)) Invalid("must be valid UTF-8 (bytes belong into a bin)");
    return Value(text);
  });
}

bool ValueBuilder::visit_bin(const char* data, std::uint32_t size) {
  return Scalar("a bin", [data, size] {
    return Value::binary(std::vector<std::uint8_t>(data, data + size));
  });
}

bool ValueBuilder::visit_ext(const char*, std::uint32_t) {
  return Scalar("an extension type", [this] {
    Invalid("must not be an extension type");
    return Value();
  });
}

bool ValueBuilder::start_array(std::uint32_t size) {
  if (!Open(Value(Value::value_t::array), "an array", size)) return false;
  if (building()) frames_.back().container.get_ref<Value::array_t&>().reserve(size);
  return true;
}

bool ValueBuilder::start_array_item() {
  ++frames_.back().next;
  return true;
}

bool ValueBuilder::end_array() { return Close(); }

bool ValueBuilder::start_map(std::uint32_t size) {
  if (!Open(Value(Value::value_t::object), "a map", std::uint64_t{2} * size)) return false;
  if (building()) frames_.back().container.get_ref<Value::object_t&>().reserve(size);
  return true;
}

bool ValueBuilder::start_map_key() {
  frames_.back().key = {};
  frames_.back().in_key = true;
  return true;
}

bool ValueBuilder::end_map_key() {
  frames_.back().in_key = false;
  return true;
}

bool ValueBuilder::end_map() {
  frames_.back().key = {};
  if (building()) CheckKeys(frames_.back().container);
  return Close();
}

// Bounds the time that is spent on a payload which is not built any more.
bool ValueBuilder::Count() {
  if (++visited_ <= bounds::kElements) return true;
  Refuse(TooManyElements());
  return false;
}

template <typename Make>
bool ValueBuilder::Scalar(const char* type, Make make) {
  if (building() && InKey()) Invalid(std::string("a map's key must be a str, is ") + type);
  if (building()) Place(make());
  return Count();
}

bool ValueBuilder::Key(std::string_view text) {
  if (building() && !IsUtf8(text)) Invalid("a map's key must be valid UTF-8");
  frames_.back().key = text;
  return Count();
}

void ValueBuilder::NoticeId(std::string_view text) {
  const bool is_id = frames_.size() == 1 && frames_.front().key == "id";
  if (!is_id || !result_.id.empty() || text.size() > bounds::kId || !IsUtf8(text)) return;
  result_.id = text;
}

bool ValueBuilder::Open(Value container, const char* type, std::uint64_t elements) {
  if (building() && InKey()) Invalid(std::string("a map's key must be a str, is ") + type);
  if (building() && frames_.size() >= limits_.nesting) {
    Invalid("must not nest deeper than " + std::to_string(limits_.nesting) + " levels");
  }
  charged_ += elements;
  if (charged_ > bounds::kElements) Refuse(TooManyElements());
  if (frames_.size() >= std::max(bounds::kSearchedNesting, limits_.nesting)) return false;
  frames_.push_back({building() ? std::move(container) : Value(), {}, 0, false});
  return Count();
}

bool ValueBuilder::Close() {
  Value container = std::move(frames_.back().container);
  frames_.pop_back();
  if (building()) Place(std::move(container));
  return true;
}

void ValueBuilder::Place(Value value) {
  if (frames_.empty()) {
    result_.value = std::move(value);
    return;
  }
  Frame& parent = frames_.back();
  if (parent.container.is_array()) {
    parent.container.get_ref<Value::array_t&>().push_back(std::move(value));
  } else {
    // The map's own emplace() searches: a hostile map would take the square of its size in time.
    auto& entries =
        static_cast<Value::object_t::Container&>(parent.container.get_ref<Value::object_t&>());
    entries.emplace_back(std::string(parent.key), std::move(value));
  }
}

void ValueBuilder::CheckKeys(const Value& map) {
  if (map.size() < 2) return;
  std::vector<std::string_view> keys;
  keys.reserve(map.size());
  for (const auto& entry : map.get_ref<const Value::object_t&>()) keys.push_back(entry.first);
  std::sort(keys.begin(), keys.end());
  const auto twice = std::adjacent_find(keys.begin(), keys.end());
  if (twice != keys.end()) Invalid("the key " + Quoted(*twice) + " comes twice");
}

void ValueBuilder::Invalid(const std::string& problem) {
  Refuse(MakeError(ErrorType::kInvalidRequest, Path() + ": " + problem));
}

std::string ValueBuilder::Path() const {
  std::string path;
  for (const Frame& frame : frames_) {
    if (frame.container.is_array()) {
      path += "[" + std::to_string(frame.next - 1) + "]";
    } else if (frame.key.data()) {
      path += (path.empty() ? "" : ".") + Excerpt(frame.key);
    }
  }
  return path.empty() ? "the payload" : path;
}

}  // namespace requestrouter::ipc
