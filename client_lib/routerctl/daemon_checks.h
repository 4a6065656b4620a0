#pragma once

#include <chrono>
#include <string>

#include "client_lib/routerctl/finding.h"
#include "ipc/value.h"
#include "requestrouter/error.h"

// What `routerctl doctor` thinks of a daemon's replies. Pure. A reply is the operation's body; one
// that failed is judged by its error.
namespace requestrouter::routerctl {

using Answer = Result<ipc::Value>;

// `took`: until the reply to `ping`.
Findings JudgePing(const Answer& ping, std::chrono::milliseconds took, const std::string& version);

// `now`: this program's clock when the reply to `health` was there.
Finding JudgeDaemonClock(const Answer& health, std::chrono::system_clock::time_point now);
Finding JudgeStorage(const Answer& health);
// `check` looks at the whole database, and answers administrators only.
Findings JudgeDatabase(const Answer& check);

// A line for each key that is not simply ready, and one for the others together.
Findings JudgeKeys(const Answer& keys);

// The answer to a probe with one key; `took` until it was there.
Finding JudgeProbe(const std::string& key_id, const Answer& chat, std::chrono::milliseconds took);

}  // namespace requestrouter::routerctl
