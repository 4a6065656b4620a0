#pragma once

#include <string>

#include <tl/expected.hpp>

#include "daemon/upstream/dialect.h"

// Gemini's generateContent and streamGenerateContent, after the reference at
// ai.google.dev/api/generate-content (v1beta) and the guides text-generation, function-calling,
// structured-output, thinking, thought-signatures and file-input-methods beside it, as published in
// November 2026. Pure.
namespace requestrouter::upstream {

// A complete request. Notes on what differs between models:
//  - Reasoning: models before 2.5 have none and are sent nothing; 2.5 takes a budget
//    (thinkingBudget), later ones a level (thinkingLevel) or, where the caller gave one, a budget.
//  - JSON schemas go into responseJsonSchema, before 2.5 into responseSchema. Models before 3
//    cannot combine them with tools, and such a prompt is refused.
tl::expected<HttpRequest, std::string> EncodeGemini(const Attempt& attempt);

// `contents`: the conversation without its system messages.
//  - Images by URL are fetched by the provider (since January 2026, not by models before 2.5, for
//    which they are refused).
//  - Calls and results carry their ids, and results the function's name, found in the history.
//    Results that follow each other answer parallel calls and share one content.
//  - Thought signatures are put back on the part that they came with. Gemini 3 and later refuse a
//    function call without one; calls that another provider made get the placeholder that the guide
//    "Thought signatures" names for transferred histories.
tl::expected<ipc::Value, std::string> GeminiContents(const Attempt& attempt);

}  // namespace requestrouter::upstream
