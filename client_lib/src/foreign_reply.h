#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "ipc/codec.h"
#include "requestrouter/error.h"

namespace requestrouter::client {

// The end of a request whose reply is not one of version 1.
struct ForeignReply {
  std::string id;
  Error error;
};

// What a payload that ipc::DecodeReply refuses means to the request it names, so that a daemon of
// another version costs its callers an error and not their deadline: kUnsupportedVersion for
// another version's reply, kInternalError for anything else; an error type that version 1 does not
// have keeps its name in the message. nullopt: it names no request, or is not the last message.
std::optional<ForeignReply> ReadForeignReply(std::string_view payload, const ipc::Limits& limits);

}  // namespace requestrouter::client
