#pragma once

#include <string>
#include <string_view>

#include <tl/expected.hpp>

#include "ipc/codec.h"
#include "ipc/value.h"

// MessagePack bytes to values and back; the only file that knows msgpack-c.
namespace requestrouter::ipc {

// Decodes one value that fills all of `bytes`. Fails, saying why, for what is not MessagePack, has
// bytes left over, nests deeper than `limits.nesting`, holds more than a bounded number of
// elements, uses a map key that is no string or comes twice, or holds an extension type, a number
// that is not finite or invalid UTF-8. Memory stays within a small multiple of bytes.size().
tl::expected<Value, std::string> DecodeValue(std::string_view bytes, const Limits& limits);

// Encodes a value. Invalid UTF-8 is replaced by U+FFFD.
std::string EncodeValue(const Value& value);

}  // namespace requestrouter::ipc
