#pragma once

#include <compare>
#include <optional>
#include <string_view>

// What a model's name tells of the parameters it takes. Providers refuse requests with a parameter
// that the model does not know, and publish no machine-readable table of them. A name that tells
// nothing is taken for a model of the newest kind by the callers of these functions, except where
// they say otherwise.
namespace requestrouter::upstream {

struct ModelVersion {
  int major = 0;
  int minor = 0;
  auto operator<=>(const ModelVersion&) const = default;
};

// gemini-2.5-flash: 2.5. gemini-3-pro-preview: 3.0. gemini-flash-latest: nullopt.
std::optional<ModelVersion> GeminiVersion(std::string_view model);

// claude-3-5-haiku-20241022: 3.5. claude-opus-4-20250514: 4.0. claude-sonnet-5: 5.0.
std::optional<ModelVersion> ClaudeVersion(std::string_view model);

enum class OpenAiFamily {
  kReasoning,  // o1, o3, o4, gpt-5 and later: max_completion_tokens, fixed sampling
  kPlain,      // gpt-4o and other models of OpenAI's that do not reason
  kOther,      // of somebody else, behind a compatible server
};

// A vendor's prefix, as OpenRouter has it ("openai/o3"), is skipped.
OpenAiFamily OpenAiFamilyOf(std::string_view model);

}  // namespace requestrouter::upstream
