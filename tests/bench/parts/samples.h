#pragma once

#include <cstddef>
#include <string>

#include "daemon/upstream/attempt.h"
#include "ipc/chat.h"

// The typical request and answer that every part is measured with.
namespace requestrouter::bench {

inline constexpr std::size_t kPromptBytes = 1024;
inline constexpr std::size_t kAnswerBytes = 200;

// The payload of a chat with a conversation.
std::string ChatPayload();

// The answer of PROTOCOL.md to it.
ipc::ChatReply ChatAnswer();

// An attempt to send it, with as many earlier turns in front.
upstream::Attempt ChatAttempt(upstream::ProviderKind kind, int turns);

// The body with which a provider answers it.
std::string ProviderBody(upstream::ProviderKind kind);

}  // namespace requestrouter::bench
