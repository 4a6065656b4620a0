#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <msgpack/pack.hpp>

#include "ipc/value.h"

namespace requestrouter::ipc {

// Appends MessagePack to a string. A map or an array is announced with its size, and then its
// entries or elements follow. Integers take their shortest form; text that is not UTF-8 is sent
// with U+FFFD in place of each bad byte, a number that is not finite as nil.
class WireWriter {
 public:
  // `bytes`: about how many will be written.
  explicit WireWriter(std::size_t bytes = 0) : packer_(output_) { output_.bytes.reserve(bytes); }
  WireWriter(const WireWriter&) = delete;
  WireWriter& operator=(const WireWriter&) = delete;

  void Map(std::size_t entries) { packer_.pack_map(static_cast<std::uint32_t>(entries)); }
  void Array(std::size_t elements) { packer_.pack_array(static_cast<std::uint32_t>(elements)); }
  void Nil() { packer_.pack_nil(); }
  void Flag(bool value) { value ? packer_.pack_true() : packer_.pack_false(); }
  void Integer(std::int64_t value) { packer_.pack_int64(value); }
  void Unsigned(std::uint64_t value) { packer_.pack_uint64(value); }
  void Number(double value);
  void Text(std::string_view text);
  void Binary(std::string_view bytes);
  void Any(const Value& value);

  // One entry of a map. `key` is ours, and UTF-8.
  void Flag(std::string_view key, bool value) { PackStr(key), Flag(value); }
  void Integer(std::string_view key, std::int64_t value) { PackStr(key), Integer(value); }
  void Text(std::string_view key, std::string_view text) { PackStr(key), Text(text); }
  void Any(std::string_view key, const Value& value) { PackStr(key), Any(value); }

  std::string Take() && { return std::move(output_.bytes); }

 private:
  void PackStr(std::string_view text);

  struct Output {
    std::string bytes;
    void write(const char* data, std::size_t size) { bytes.append(data, size); }
  };
  Output output_;
  msgpack::packer<Output> packer_;
};

}  // namespace requestrouter::ipc
