#pragma once

#include "daemon/ops/admin_operation.h"

namespace requestrouter {

// One line in the log for every operation of an administrator: who has had what done to what.
// Router thread only.
void LogAdminOperation(const ops::AdminOperation& operation);

}  // namespace requestrouter
