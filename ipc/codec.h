#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "ipc/chat.h"
#include "ipc/error.h"
#include "ipc/operations.h"

// PROTOCOL.md's payloads to and from bytes. Pure; every function may be called from any thread.
namespace requestrouter::ipc {

inline constexpr int kProtocolVersion = 1;

// Bounds on hostile input. The defaults are PROTOCOL.md's.
struct Limits {
  std::size_t payload_bytes = 16u << 20;
  std::size_t nesting = 32;
};

// What could be read of a request that cannot be served: its id (empty where unreadable) and why.
struct BadRequest {
  std::string id;
  Error error;
};

// Decodes and validates one request payload. Bounded in memory by a small multiple of
// `limits.payload_bytes`. Unknown keys are ignored; a wrong type names the key.
tl::expected<Request, BadRequest> DecodeRequest(std::string_view payload, const Limits& limits);

// The client's side: the payload of a request. Keys that hold their default are left out.
std::string EncodeRequest(const Request& request);

// One reply payload. A body or details that hold invalid UTF-8 are sent with U+FFFD in its place.
std::string EncodeReply(const Reply& reply);

// The daemon's fast path: the same bytes as EncodeReply of the corresponding map.
std::string EncodeChatReply(std::string_view id, const ChatReply& reply);
std::string EncodeDelta(std::string_view id, std::int64_t seq, const ChatDelta& delta);
std::string EncodeProgress(std::string_view id, std::int64_t seq, const ChatProgress& progress);
std::string EncodeError(std::string_view id, const Error& error);

// The client's side: decodes a reply. Fails with kInternalError for a payload that is no reply.
Result<Reply> DecodeReply(std::string_view payload, const Limits& limits);
Result<ChatReply> ChatReplyFromValue(const Value& body);

// A message as a value and back: the form of `messages` on the wire. The error names the key.
Value ToValue(const Message& message);
Value ToValue(const ToolCall& call);
Result<Message> MessageFromValue(const Value& value);

}  // namespace requestrouter::ipc
