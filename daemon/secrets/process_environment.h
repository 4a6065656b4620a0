#pragma once

#include "daemon/config/config.h"

namespace requestrouter::secrets {

// The process's environment. The first call, which must be made while there is one thread, takes
// the values that are secret by their names (they hold KEY, TOKEN, SECRET or PASSWORD) out of the
// block that the kernel handed over and keeps them locked: there they would be in every core dump
// and in /proc/PID/environ. Later calls give the same, for reloads.
//
// What is returned holds the secrets in ordinary memory: wipe it when done, by Wipe.
config::Environment ProcessEnvironment();

// Overwrites every value and empties the map.
void Wipe(config::Environment& environment);

}  // namespace requestrouter::secrets
