#pragma once

#include "daemon/config/object_reader.h"

namespace requestrouter::config {

// The limits of an object that holds rpm, tpm, …: a key or a model of a key. What it does not say
// is as in `base`. Absent there too: not limited.
policy::LimitSet ReadLimits(const ObjectReader& reader, policy::LimitSet base);

// Whether two keys of one quota group say the same of a model.
bool SameLimits(const policy::LimitSet& a, const policy::LimitSet& b);

}  // namespace requestrouter::config
