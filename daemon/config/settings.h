#pragma once

#include "daemon/config/object_reader.h"
#include "daemon/config/variables.h"

namespace requestrouter::config {

// Reads the block `config` of keys.json and the variables that win over it. `block` is null where
// the file has none.
Settings ReadSettings(const ObjectReader* block, const Variables& variables);

}  // namespace requestrouter::config
