#pragma once

#include <string>
#include <string_view>

#include "daemon/config/object_reader.h"

// What a key_id may be.
namespace requestrouter::config {

// Whether a key_id can be part of a variable's, a file's and a credential's name: letters, digits
// and "_-.:@+", beginning with a letter or digit, at most 128 bytes.
bool IsKeyId(std::string_view text);

// The key_id of an entry of `keys`; empty: there is none that is good (reported).
std::string ReadKeyId(const ObjectReader& key);

// How a key_id looks in its upper-case variable: the spelling that keeps the least.
std::string UpperCaseVariable(std::string key_id);

}  // namespace requestrouter::config
