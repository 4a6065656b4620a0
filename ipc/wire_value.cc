#include "ipc/wire_value.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <msgpack.hpp>
#include <vector>

#include "ipc/utf8.h"

namespace requestrouter::ipc {
namespace {

// An element of a container takes at least one byte of payload but about 40 in memory (a
// msgpack::object and a Value); this keeps a payload of nothing but small elements within bounds.
constexpr std::size_t kMostElements = 1u << 20;

class Converter {
 public:
  explicit Converter(std::size_t nesting) : nesting_(nesting) {}

  // On failure error() says why and the value is meaningless.
  Value Convert(const msgpack::object& object, std::size_t depth) {
    if (depth > nesting_) return Fail("nests deeper than " + std::to_string(nesting_) + " levels");
    switch (object.type) {
      case msgpack::type::NIL:
        return nullptr;
      case msgpack::type::BOOLEAN:
        return object.via.boolean;
      case msgpack::type::POSITIVE_INTEGER:
        return object.via.u64;
      case msgpack::type::NEGATIVE_INTEGER:
        return object.via.i64;
      case msgpack::type::FLOAT32:
      case msgpack::type::FLOAT64:
        if (!std::isfinite(object.via.f64)) return Fail("holds a number that is not finite");
        return object.via.f64;
      case msgpack::type::STR:
        return Text(object.via.str);
      case msgpack::type::BIN:
        return Value::binary(std::vector<std::uint8_t>(
            object.via.bin.ptr, object.via.bin.ptr + object.via.bin.size));
      case msgpack::type::ARRAY:
        return Array(object.via.array, depth);
      case msgpack::type::MAP:
        return Map(object.via.map, depth);
      case msgpack::type::EXT:
        break;
    }
    return Fail("holds an extension type");
  }

  const std::string& error() const { return error_; }

 private:
  Value Fail(std::string why) {
    if (error_.empty()) error_ = std::move(why);
    return nullptr;
  }

  Value Text(const msgpack::object_str& text) {
    const std::string_view view(text.ptr, text.size);
    if (!IsUtf8(view)) return Fail("holds a string that is not UTF-8");
    return std::string(view);
  }

  Value Array(const msgpack::object_array& array, std::size_t depth) {
    Value result = Value::array();
    for (std::uint32_t i = 0; i < array.size && error_.empty(); ++i) {
      result.push_back(Convert(array.ptr[i], depth + 1));
    }
    return result;
  }

  // Fills the map's underlying vector, because its operator[] searches: a hostile map of a million
  // keys would take its square in time.
  Value Map(const msgpack::object_map& map, std::size_t depth) {
    Value result = Value::object();
    auto& entries = static_cast<std::vector<std::pair<const std::string, Value>>&>(
        result.get_ref<Value::object_t&>());
    std::vector<std::string_view> keys;
    for (std::uint32_t i = 0; i < map.size && error_.empty(); ++i) {
      const msgpack::object& key = map.ptr[i].key;
      if (key.type != msgpack::type::STR) return Fail("holds a map key that is no string");
      const std::string_view name(key.via.str.ptr, key.via.str.size);
      if (!IsUtf8(name)) return Fail("holds a map key that is not UTF-8");
      keys.push_back(name);
      entries.emplace_back(std::string(name), Convert(map.ptr[i].val, depth + 1));
    }
    std::sort(keys.begin(), keys.end());
    const auto twice = std::adjacent_find(keys.begin(), keys.end());
    if (twice != keys.end()) return Fail("holds the key \"" + std::string(*twice) + "\" twice");
    return result;
  }

  const std::size_t nesting_;
  std::string error_;
};

void Pack(msgpack::packer<msgpack::sbuffer>& packer, const Value& value);

void PackText(msgpack::packer<msgpack::sbuffer>& packer, const std::string& text) {
  const std::string clean = IsUtf8(text) ? std::string() : ReplaceInvalidUtf8(text);
  const std::string& written = clean.empty() ? text : clean;
  packer.pack_str(static_cast<std::uint32_t>(written.size()));
  packer.pack_str_body(written.data(), static_cast<std::uint32_t>(written.size()));
}

void PackMap(msgpack::packer<msgpack::sbuffer>& packer, const Value& map) {
  packer.pack_map(static_cast<std::uint32_t>(map.size()));
  for (const auto& [key, value] : map.items()) {
    PackText(packer, key);
    Pack(packer, value);
  }
}

void Pack(msgpack::packer<msgpack::sbuffer>& packer, const Value& value) {
  switch (value.type()) {
    case Value::value_t::boolean:
      packer.pack(value.get<bool>());
      return;
    case Value::value_t::number_integer:
      packer.pack(value.get<std::int64_t>());
      return;
    case Value::value_t::number_unsigned:
      packer.pack(value.get<std::uint64_t>());
      return;
    case Value::value_t::number_float:
      // pack(double) would write 2.0 as the integer 2.
      packer.pack_double(value.get<double>());
      return;
    case Value::value_t::string:
      PackText(packer, value.get_ref<const std::string&>());
      return;
    case Value::value_t::binary: {
      const auto& bytes = value.get_binary();
      packer.pack_bin(static_cast<std::uint32_t>(bytes.size()));
      packer.pack_bin_body(reinterpret_cast<const char*>(bytes.data()),
                           static_cast<std::uint32_t>(bytes.size()));
      return;
    }
    case Value::value_t::array:
      packer.pack_array(static_cast<std::uint32_t>(value.size()));
      for (const Value& element : value) Pack(packer, element);
      return;
    case Value::value_t::object:
      PackMap(packer, value);
      return;
    case Value::value_t::null:
    case Value::value_t::discarded:
      packer.pack_nil();
  }
}

}  // namespace

tl::expected<Value, std::string> DecodeValue(std::string_view bytes, const Limits& limits) {
  // A container's header may claim 2^32 elements: msgpack-c allocates for them before it reads.
  const std::size_t most = std::min(bytes.size(), kMostElements);
  const msgpack::unpack_limit limit(most, most, bytes.size(), bytes.size(), bytes.size(),
                                    limits.nesting + 2);
  try {
    std::size_t offset = 0;
    const msgpack::object_handle handle =
        msgpack::unpack(bytes.data(), bytes.size(), offset, nullptr, nullptr, limit);
    if (offset != bytes.size()) {
      return tl::unexpected("has " + std::to_string(bytes.size() - offset) +
                            " bytes after its end");
    }
    Converter converter(limits.nesting);
    Value value = converter.Convert(handle.get(), 1);
    if (!converter.error().empty()) return tl::unexpected(converter.error());
    return value;
  } catch (const msgpack::depth_size_overflow&) {
    return tl::unexpected("nests deeper than " + std::to_string(limits.nesting) + " levels");
  } catch (const std::exception&) {
    return tl::unexpected(std::string("is not valid MessagePack"));
  }
}

std::string EncodeValue(const Value& value) {
  msgpack::sbuffer buffer;
  msgpack::packer<msgpack::sbuffer> packer(buffer);
  Pack(packer, value);
  return {buffer.data(), buffer.size()};
}

}  // namespace requestrouter::ipc
