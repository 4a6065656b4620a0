#pragma once

#include <vector>

#include "daemon/config/key.h"
#include "daemon/config/object_reader.h"

// The block `keys` of keys.json.
namespace requestrouter::config {

// Reads every key and checks them against each other. `root` is the whole file.
std::vector<Key> ReadKeys(const ObjectReader& root, const KeyContext& context);

}  // namespace requestrouter::config
