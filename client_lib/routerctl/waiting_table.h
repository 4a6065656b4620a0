#pragma once

#include "client_lib/routerctl/table.h"
#include "ipc/value.h"

namespace requestrouter::routerctl {

// `waiting` of a reply of `queue`: a line a request, in the order in which they get their turn.
Table WaitingTable(const ipc::Value& rows);

}  // namespace requestrouter::routerctl
