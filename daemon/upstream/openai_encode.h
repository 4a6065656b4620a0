#pragma once

#include <string>

#include <tl/expected.hpp>

#include "daemon/upstream/dialect.h"

// OpenAI's chat completions, after platform.openai.com/docs/api-reference/chat/create and the
// guides "Function calling", "Structured model outputs", "Images and vision" and "Reasoning models"
// as published in November 2026, kept to what the compatible servers (Groq, Mistral, OpenRouter,
// DeepSeek, Ollama, llama.cpp, vLLM) accept too. Pure.
namespace requestrouter::upstream {

// A complete request. Notes:
//  - Reasoning models (o1, o3, o4, gpt-5 and later) take max_completion_tokens and refuse
//    temperature, top_p and stop, which are left out; everything else takes max_tokens, the older
//    name, which is the one that compatible servers share.
//  - reasoning_effort goes to every model but those of OpenAI's that do not reason.
//  - `strict` is set for a schema that meets its conditions, and only then.
//  - A streamed answer is asked to end with its usage (stream_options.include_usage).
tl::expected<HttpRequest, std::string> EncodeOpenAi(const Attempt& attempt);

// `messages`.
//  - System messages become one, at the front.
//  - The API refuses a json_object that no message names ("JSON mode" in its guide "Structured
//    model outputs"; Groq and DeepSeek ask for the same): where none does, the system prompt ends
//    with "Answer with a JSON object.".
//  - Only user messages can hold images: elsewhere they are refused.
//  - Ids of calls are at most 40 characters (a limit that the API names in its refusal).
//  - What a server sent beside an answer and wants back with it (reasoning_details of OpenRouter,
//    reasoning_content of DeepSeek within a tool loop) is put back for the model that made it, and
//    for no other: a server refuses members that it does not know.
tl::expected<ipc::Value, std::string> OpenAiMessages(const Attempt& attempt);

}  // namespace requestrouter::upstream
