#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "daemon/upstream/attempt.h"

// Error bodies of every shape that is met in the wild. One reader for all dialects, because a
// gateway may answer in its own shape for any of them:
//   {"error":{"code":429,"status":"RESOURCE_EXHAUSTED","message":…,"details":[…]}}    Gemini
//   [{"error":{…}}]                                              Gemini, streaming without SSE
//   {"error":{"message":…,"type":…,"param":…,"code":…}}          OpenAI, Groq, DeepSeek, vLLM
//   {"type":"error","error":{"type":…,"message":…}}              Anthropic
//   {"error":{"code":502,"message":…,"metadata":{"raw":…}}}      OpenRouter
//   {"object":"error","message":…,"type":…,"code":…}             Mistral, older vLLM
//   {"detail":…}, {"message":…}                                  FastAPI servers, Mistral
//   {"error":"…"}                                                Ollama
//   anything else: not readable, the message is the beginning of the body
namespace requestrouter::upstream {

// Never fails; see ProviderError. Texts are bounded, and what looks like an API key in them is
// replaced: providers quote the refused key in part or in full.
ProviderError ReadProviderError(std::string_view body);

// The error that an object of one of these shapes reports, or nullopt where it has no `error`
// member: for answers and stream events that carry an error with status 200.
std::optional<ProviderError> ErrorIn(const ipc::Value& object);

// What to say of an error: its message, else its code; never empty.
std::string WordsOf(const ProviderError& error);

}  // namespace requestrouter::upstream
