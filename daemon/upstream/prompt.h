#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

#include "daemon/upstream/attempt.h"

// What every dialect asks of a prompt before it encodes it. Pure.
namespace requestrouter::upstream {

// Failures name the field of PROTOCOL.md's `chat` that cannot be expressed.
using Refusal = tl::unexpected<std::string>;
inline Refusal Refuse(std::string reason) { return Refusal(std::move(reason)); }

// Every system message, wherever it stands, in order and with a blank line between two: the
// providers that take a system prompt apart from the messages take one, and chat templates of
// compatible servers refuse a second one or one in the middle. Empty where there is none.
tl::expected<std::string, std::string> SystemText(const std::vector<ipc::Message>& messages);

// Whether any character of it is not white space; providers refuse blocks of text without one.
bool HasVisibleText(std::string_view text);

bool HasImage(const ipc::Message& message);

// The arguments of a call as the JSON object that Gemini and Anthropic want. Empty arguments are
// an empty object. Text that is no JSON object (a model can write such, and it is in the history
// then) becomes {"arguments": text}, so that the conversation can go on and nothing is lost.
ipc::Value ArgumentsObject(const ipc::ToolCall& call);

// How many messages at the front of a conversation are to be left out: what truncating it left of a
// turn that it cut, everything before the first message of a user. Providers refuse a prompt that
// begins with an answer (Anthropic: 'first message must use the "user" role') or with tool results
// whose calls are missing. Where there is no such message, none are left out if the new messages
// begin with a tool result (`answers_tools`), and all otherwise.
std::size_t CutTurn(const std::vector<ipc::Message>& history, bool answers_tools);

// A tool choice that no tool can fulfil, and a tool result without its call, are refused.
tl::expected<void, std::string> CheckTools(const Prompt& prompt);

// `state` where it was made by `provider` ("gemini", "openai", "anthropic"), else nullptr: what one
// provider needs back means nothing to another.
const ipc::Value* StateOf(const ipc::Value& state, std::string_view provider);

// A state of this provider, to add members to.
ipc::Value NewState(std::string_view provider);

}  // namespace requestrouter::upstream
