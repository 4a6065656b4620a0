#pragma once

#include <vector>

#include "ipc/value.h"
#include "requestrouter/error.h"
#include "requestrouter/types.h"

// The bodies of replies other than chat's as the public types.
namespace requestrouter::client {

Health HealthFromBody(const ipc::Value& body);
std::vector<Model> ModelsFromBody(const ipc::Value& body);
// Fails with kInternalError where a message is none.
Result<Conversation> ConversationFromBody(const ipc::Value& body);
ConversationPage ConversationPageFromBody(const ipc::Value& body);

}  // namespace requestrouter::client
