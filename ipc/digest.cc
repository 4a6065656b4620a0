#include "ipc/digest.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include <xxhash.h>

namespace requestrouter::ipc {
namespace {

class Hasher {
 public:
  Hasher() : state_(XXH3_createState(), &XXH3_freeState) { XXH3_128bits_reset(state_.get()); }

  void Add(const Value& value) {
    switch (value.type()) {
      case Value::value_t::object:
        return AddMap(value);
      case Value::value_t::array:
        Mark('a', value.size());
        for (const Value& element : value) Add(element);
        return;
      case Value::value_t::string:
        return AddText('s', value.get_ref<const std::string&>());
      case Value::value_t::binary: {
        const auto& bytes = value.get_binary();
        return AddText('b', {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
      }
      case Value::value_t::number_float:
        return AddNumber(value.get<double>());
      case Value::value_t::number_integer:
        return AddInteger(value.get<std::int64_t>());
      case Value::value_t::number_unsigned:
        return Mark('i', value.get<std::uint64_t>());
      case Value::value_t::boolean:
        return Mark('t', value.get<bool>() ? 1 : 0);
      case Value::value_t::null:
      case Value::value_t::discarded:
        return Mark('n', 0);
    }
  }

  std::string Take() {
    XXH128_canonical_t bytes;
    XXH128_canonicalFromHash(&bytes, XXH3_128bits_digest(state_.get()));
    return {reinterpret_cast<const char*>(bytes.digest), sizeof bytes.digest};
  }

 private:
  void Mark(char kind, std::uint64_t number) {
    XXH3_128bits_update(state_.get(), &kind, 1);
    XXH3_128bits_update(state_.get(), &number, sizeof number);
  }
  void AddText(char kind, std::string_view text) {
    Mark(kind, text.size());
    XXH3_128bits_update(state_.get(), text.data(), text.size());
  }
  // Negative ones are marked apart, because -1 has the bits of 2^64 - 1.
  void AddInteger(std::int64_t number) {
    Mark(number < 0 ? '-' : 'i', static_cast<std::uint64_t>(number));
  }
  // 2.0 is the same as 2: libraries write whole numbers either way.
  void AddNumber(double number) {
    if (number >= -9e15 && number <= 9e15) {
      const auto whole = static_cast<std::int64_t>(number);
      if (static_cast<double>(whole) == number) {
        return AddInteger(whole);
      }
    }
    Mark('f', 0);
    XXH3_128bits_update(state_.get(), &number, sizeof number);
  }
  void AddMap(const Value& map) {
    std::vector<std::pair<std::string_view, const Value*>> entries;
    for (const auto& [key, value] : map.items()) entries.emplace_back(key, &value);
    std::sort(entries.begin(), entries.end());
    Mark('m', entries.size());
    for (const auto& [key, value] : entries) {
      AddText('k', key);
      Add(*value);
    }
  }

  std::unique_ptr<XXH3_state_t, decltype(&XXH3_freeState)> state_;
};

}  // namespace

std::string Digest(const Value& value) {
  Hasher hasher;
  hasher.Add(value);
  return hasher.Take();
}

}  // namespace requestrouter::ipc
