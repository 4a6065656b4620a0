#pragma once

#include <string>
#include <vector>

#include "ipc/chat.h"
#include "ipc/error.h"
#include "storage/store.h"

// A conversation between the database and the provider: pure conversions and trimming.
namespace requestrouter::router {

// Fails with kInternalError for a stored message that cannot be read.
ipc::Result<ipc::Message> FromStored(const storage::StoredMessage& stored);

storage::StoredMessage ToStored(const ipc::Message& message, storage::Millis at);

// Bytes a token, roughly, to compare lengths with budgets and contexts, which are of tokens.
inline constexpr std::int64_t kBytesPerToken = 4;

// UTF-8 bytes of what a message says, images not counted.
std::int64_t BytesOf(const ipc::Message& message);
std::int64_t ImagesOf(const ipc::Message& message);

// A `tool` message answers a call that was made before it, in `history` or in `messages`.
// The error names the message and its id.
ipc::Result<void> CheckToolCallIds(const std::vector<ipc::Message>& history,
                                   const std::vector<ipc::Message>& messages);

// Drops what truncating a conversation left of a turn that it cut: see upstream::CutTurn.
void DropCutTurn(std::vector<ipc::Message>& history, bool answers_tools);

// Drops whole turns from the front until at most `budget_bytes` are left, and returns how many
// messages that were. A turn begins with a user message, so a tool call is never separated from
// its result. The last turn stays where the new messages begin with a tool result, however large.
std::size_t TrimHistory(std::vector<ipc::Message>& history, std::int64_t budget_bytes,
                        bool keep_last_turn);

}  // namespace requestrouter::router
