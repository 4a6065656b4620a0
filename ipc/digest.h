#pragma once

#include <string>

#include "ipc/value.h"

namespace requestrouter::ipc {

// A 16-byte hash of a value in which the order of map keys does not count. Two values that differ
// agree by chance only (XXH3, 128 bits); a caller that looks for a collision can only confuse its
// own requests, because ids belong to a uid.
std::string Digest(const Value& value);

}  // namespace requestrouter::ipc
