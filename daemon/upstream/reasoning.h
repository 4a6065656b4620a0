#pragma once

#include <cstdint>

#include "ipc/chat.h"

// Reasoning is asked for as an effort or as a budget of tokens, and each model knows one of the
// two. The mapping between them is the one that Google documents for its OpenAI-compatible
// endpoint (ai.google.dev/gemini-api/docs/openai, "Thinking"), taken for all providers.
namespace requestrouter::upstream {

const char* EffortName(ipc::Effort effort);

// low 1,024, medium 8,192, high 24,576 tokens; a budget as it is.
std::int64_t BudgetOf(const ipc::Reasoning& reasoning);

// The effort whose budget is the first not below the one asked for; an effort as it is.
ipc::Effort EffortOf(const ipc::Reasoning& reasoning);

// The limit on output tokens to send to a provider that counts reasoning as output: the caller's,
// unless the budget would leave nothing of it for the answer.
std::int64_t OutputLimitWith(std::int64_t budget, std::int64_t max_output_tokens);

}  // namespace requestrouter::upstream
