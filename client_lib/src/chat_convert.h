#pragma once

#include "ipc/chat.h"
#include "ipc/value.h"
#include "requestrouter/error.h"
#include "requestrouter/types.h"

// Between the public chat types and the wire's.
namespace requestrouter::client {

// Fails with kInvalidRequest where a _json field is not JSON, or prompt and messages contradict.
Result<ipc::ChatRequest> ToWire(const ChatRequest& request, bool stream);

// Fails with kInternalError where the daemon's reply lacks what the protocol promises.
Result<ChatReply> ChatReplyFromBody(const ipc::Value& body);

// The event in the body of a message that is not final; nullopt for a kind this version does not
// know. Fields of an unexpected type are left out.
std::optional<ChatEvent> ChatEventFromBody(const ipc::Value& body);

// A message as conversation.get gives it.
Result<Message> MessageFromBody(const ipc::Value& body);

}  // namespace requestrouter::client
