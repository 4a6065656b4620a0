#pragma once

#include <string>

#include "ipc/codec.h"

// Payloads as clients of other languages send them, built from values.
namespace requestrouter::ipc {

// MessagePack of a value.
std::string Pack(const Value& value);

// A request of `op`, id "r-1", with that body.
Value RequestValue(const std::string& op, Value body);

// Decodes a request of `op` with `body`; the error is that of the body.
tl::expected<Request, BadRequest> Decode(const std::string& op, Value body);

// The body of a chat that decodes; fails the test where it does not.
ChatRequest DecodeChat(Value body);

// The message of the invalid_request that a chat with `body` gets, or what else happened.
std::string ChatMistake(Value body);

// `levels` arrays, one within the other.
Value Nested(int levels);

}  // namespace requestrouter::ipc
