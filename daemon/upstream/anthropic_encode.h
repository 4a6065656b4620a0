#pragma once

#include <string>

#include <tl/expected.hpp>

#include "daemon/upstream/dialect.h"

// Anthropic's Messages API, version 2023-06-01, after platform.claude.com/docs/en/api/messages and
// the guides "Structured outputs", "Adaptive thinking", "Extended thinking", "Vision", "Tool use"
// and the migration guides of the models, as published in November 2026. Pure.
namespace requestrouter::upstream {

// A complete request. Notes:
//  - There is no seed (left out), no JSON mode without a schema (refused), and temperature ends at
//    1 (above: refused).
//  - JSON schemas go into output_config.format, which models before 4.1 do not have (refused).
//  - Models from 4.7 on refuse temperature and top_p; from 4 on they take only one of them, and
//    top_p is sent where the caller gave it, since the temperature has a default.
//  - Reasoning: budgets of tokens (thinking.type enabled) until 4.5, adaptive thinking with an
//  effort
//    from 4.7 on, and 4.6 either. With thinking, the temperature is left out, top_p below 0.95 too,
//    and a tool cannot be forced (refused). The budget must be at least 1,024 (below: refused; 0
//    turns thinking off) and less than max_tokens, which is raised where it is not.
tl::expected<HttpRequest, std::string> EncodeAnthropic(const Attempt& attempt);

// `messages`, the conversation without its system messages.
//  - Messages of the same role in sequence become one; results of tools are the user's and stand
//    first in their message, as the API demands.
//  - Text without visible characters is left out: the API refuses it.
//  - Ids of calls that hold other characters than letters, digits, '_' and '-' are mapped.
//  - The blocks of thinking are put back, unchanged and where they were, from the state that the
//    decoder made.
tl::expected<ipc::Value, std::string> AnthropicMessages(const Prompt& prompt);

}  // namespace requestrouter::upstream
