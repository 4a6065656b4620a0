#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace requestrouter::secrets {

struct Range {
  std::size_t begin = 0;
  std::size_t end = 0;
};

// Appends the parts of a text that look like API keys. By hand instead of regular expressions,
// because std::regex recurses per character and can be made to take quadratic time; this scan is
// linear whatever the text.
//
// Known forms: sk-… (OpenAI, Anthropic, DeepSeek, OpenRouter), AIza… (Google), gsk_… (Groq), xai-…
// (xAI), hvs.… (Vault), the token after "Bearer", and the value after the names of the headers and
// parameters that carry keys.
void FindKeyLike(std::string_view text, std::vector<Range>& ranges);

}  // namespace requestrouter::secrets
