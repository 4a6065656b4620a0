#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "ipc/chat.h"

// Ids of tool calls. Every provider names them its own way, and a conversation may move between
// providers, so that each must be given ids that it accepts. All mappings are pure functions of the
// id: a call and its result are mapped alike, in every request.
namespace requestrouter::upstream {

// An id for the `index`-th call of an answer whose provider gave it none. Depends on `seed`, which
// should differ between the answers of a conversation (the provider's id of the answer), and on
// nothing else.
std::string SyntheticCallId(std::string_view seed, std::size_t index);

// The id as such where it consists of letters, digits, '_' and '-' only and is not longer than
// `max_bytes`; else a digest of it that is so. `max_bytes` is at least 8.
std::string PortableCallId(std::string_view id, std::size_t max_bytes);

// Mistral accepts exactly nine letters and digits, and refuses the request otherwise.
std::string MistralCallId(std::string_view id);

// The name of the function that the call with this id asked for, looking at the messages before
// `end`, the latest first; nullptr where there is no such call.
const std::string* CalledFunction(const std::vector<ipc::Message>& messages, std::size_t end,
                                  std::string_view id);

}  // namespace requestrouter::upstream
