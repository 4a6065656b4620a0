#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "ipc/value.h"

// Reading members of values whose shape is not to be trusted: a member that is absent, or of
// another type than asked for, reads as nothing. Pure; nothing throws.
namespace requestrouter::upstream {

// The member, or nullptr where `object` is no object or has none of this name. Owned by `object`.
const ipc::Value* Member(const ipc::Value& object, const char* key);

// The member where it is an object or array respectively, else nullptr.
const ipc::Value* ObjectMember(const ipc::Value& object, const char* key);
const ipc::Value* ArrayMember(const ipc::Value& object, const char* key);

// The elements of that array member; of an empty array where there is none.
const ipc::Value& ItemsOf(const ipc::Value& object, const char* key);

// The member's text, valid as long as `object`; empty where it is no string.
std::string_view TextMember(const ipc::Value& object, const char* key);

bool BoolMember(const ipc::Value& object, const char* key);

// A count of something: 0 where it is no number or negative, and at most 10^12, so that sums of
// counts never overflow.
std::int64_t CountMember(const ipc::Value& object, const char* key);

// `text`, shortened to at most `bytes` at a character's boundary and with control characters
// replaced by spaces: fit for logs and error messages.
std::string Bounded(std::string_view text, std::size_t bytes);

}  // namespace requestrouter::upstream
