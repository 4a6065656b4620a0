#pragma once

#include <string>
#include <string_view>

#include <tl/expected.hpp>

#include "ipc/codec.h"
#include "ipc/value.h"

// One value to MessagePack and back, for those who keep values in the wire's form.
namespace requestrouter::ipc {

// Within the bounds and rules of DecodePayload; the error is its message.
tl::expected<Value, std::string> DecodeValue(std::string_view bytes, const Limits& limits);

// Invalid UTF-8 becomes U+FFFD, a number that is not finite nil.
std::string EncodeValue(const Value& value);

}  // namespace requestrouter::ipc
