#pragma once

#include <string>
#include <vector>

#include "daemon/policy/dispatcher.h"
#include "daemon/router/clock.h"
#include "ipc/value.h"

namespace requestrouter::ops {

// The state of the daemon in Prometheus' text exposition format, version 0.0.4. `health` is the
// body of the `health` operation. No label holds a secret.
std::string MetricsText(const ipc::Value& health, const std::vector<policy::KeyStatus>& keys,
                        const router::Clock& clock);

}  // namespace requestrouter::ops
