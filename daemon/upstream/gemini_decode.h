#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <tl/expected.hpp>

#include "daemon/upstream/dialect.h"

// Gemini's GenerateContentResponse, after ai.google.dev/api/generate-content#v1beta.
// GenerateContentResponse as published in November 2026. A streamed answer is a sequence of them,
// so that one reader serves both. Pure.
namespace requestrouter::upstream {

// Notes:
//  - Thoughts (parts with `thought`) are deltas of reasoning and no part of the content.
//  - Ids of calls are optional and made up where absent, from the answer's responseId.
//  - A finish reason of the safety family, or a promptFeedback that names one, is a block.
//  - A call that the model garbled, or an answer without a candidate, with nothing else said, is
//    no answer: Decode and OnEvent fail, so that the attempt can be repeated.
//  - Usage: thoughts and candidates are the output, prompts of tool use belong to the input.
tl::expected<Answer, std::string> DecodeGemini(std::string_view body);

std::unique_ptr<StreamDecoder> NewGeminiStreamDecoder();

}  // namespace requestrouter::upstream
