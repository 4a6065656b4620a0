#pragma once

#include <string>
#include <variant>
#include <vector>

#include "ipc/codec.h"

// One of each message of PROTOCOL.md, whose bytes are in tests/golden/wire/NAME.hex.
namespace requestrouter::ipc {

struct GoldenRequest {
  std::string name;
  std::string comment;
  Request request;
};

struct ChatPiece {
  std::int64_t seq;
  std::variant<ChatDelta, ChatProgress> piece;
};

struct GoldenReply {
  std::string name;
  std::string comment;
  // A chat's final reply, a piece of one, or any other.
  std::variant<ChatReply, ChatPiece, Reply> reply;
};

std::vector<GoldenRequest> GoldenRequests();
std::vector<GoldenReply> GoldenReplies();

// The bytes that the daemon writes for it.
std::string Encode(const GoldenReply& golden);

// The id of all of them.
inline constexpr const char* kGoldenId = "req-0001";

}  // namespace requestrouter::ipc
