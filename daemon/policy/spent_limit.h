#pragma once

#include <vector>

#include "daemon/policy/classifier.h"
#include "daemon/policy/token_rule.h"

namespace requestrouter::policy {

// The limits a minute that a refusal names as spent; empty where it names none. So a limit that is
// lower than configured, or shared with somebody else, is learned (Quota::Learn) instead of being
// run into again after every cooldown.
//
// The names: Gemini's quota ids, "GenerateRequestsPerMinutePerProjectPerModel-FreeTier" and
// "GenerateContentInputTokensPerModelPerMinute-FreeTier" (as in 429s quoted by users, and the
// quotas of generativelanguage.googleapis.com); OpenAI's "requests per min (RPM)" and "tokens per
// min (TPM)" (https://platform.openai.com/docs/guides/rate-limits); Anthropic's "requests per
// minute", "input tokens per minute" and "output tokens per minute"
// (https://docs.anthropic.com/en/api/rate-limits).
std::vector<LimitKind> SpentLimits(const Evidence& evidence);

}  // namespace requestrouter::policy
