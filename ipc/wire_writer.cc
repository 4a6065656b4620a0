#include "ipc/wire_writer.h"

#include <bit>
#include <cmath>

#include "ipc/utf8.h"

namespace requestrouter::ipc {

// Written by hand because packer::pack_double() makes an integer of 2.0, and a float is to stay
// one.
void WireWriter::Number(double value) {
  if (!std::isfinite(value)) return Nil();
  const auto bits = std::bit_cast<std::uint64_t>(value);
  output_.bytes += '\xcb';
  for (int shift = 56; shift >= 0; shift -= 8) output_.bytes += static_cast<char>(bits >> shift);
}

void WireWriter::Text(std::string_view text) {
  if (!IsUtf8(text)) return Text(std::string_view(ReplaceInvalidUtf8(text)));
  PackStr(text);
}

void WireWriter::PackStr(std::string_view text) {
  packer_.pack_str(static_cast<std::uint32_t>(text.size()));
  packer_.pack_str_body(text.data(), static_cast<std::uint32_t>(text.size()));
}

void WireWriter::Binary(std::string_view bytes) {
  packer_.pack_bin(static_cast<std::uint32_t>(bytes.size()));
  packer_.pack_bin_body(bytes.data(), static_cast<std::uint32_t>(bytes.size()));
}

void WireWriter::Any(const Value& value) {
  switch (value.type()) {
    case Value::value_t::boolean:
      return Flag(value.get<bool>());
    case Value::value_t::number_integer:
      return Integer(value.get<std::int64_t>());
    case Value::value_t::number_unsigned:
      return Unsigned(value.get<std::uint64_t>());
    case Value::value_t::number_float:
      return Number(value.get<double>());
    case Value::value_t::string:
      return Text(value.get_ref<const std::string&>());
    case Value::value_t::binary: {
      const auto& bytes = value.get_binary();
      return Binary({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    }
    case Value::value_t::array:
      Array(value.size());
      for (const Value& element : value) Any(element);
      return;
    case Value::value_t::object:
      Map(value.size());
      for (const auto& [key, element] : value.get_ref<const Value::object_t&>()) {
        Text(key);
        Any(element);
      }
      return;
    case Value::value_t::null:
    case Value::value_t::discarded:
      return Nil();
  }
}

}  // namespace requestrouter::ipc
