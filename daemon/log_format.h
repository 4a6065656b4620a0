#pragma once

#include <string>

#include "daemon/log_record.h"
#include "storage/store.h"

// How a log line is written. Whatever its message and values hold, it is one line, and shows no
// control character: what is one appears escaped, "\n" or "\x1b".
namespace requestrouter {

// For people: `request answered request_id=plan-1 caller="uid 1000 (ada)" attempts=2`. Values with
// spaces and the like are quoted.
std::string ToText(const LogFields& record);

// The same after `2026-01-02T03:04:05.678Z info `.
std::string ToTextLine(const LogFields& record, std::string_view level, storage::Millis at);

// For programs: {"time":"…","level":"info","message":"…","request_id":"…","attempts":2}
std::string ToJsonLine(const LogFields& record, std::string_view level, storage::Millis at);

}  // namespace requestrouter
