#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace requestrouter::policy {

// Estimates input tokens from the size of a text, learning bytes per token from each model's
// answers. Estimates lean high: too low an estimate overruns a provider's limit, too high a one
// only reserves for the length of one attempt.
class TokenEstimator {
 public:
  static constexpr std::size_t kMaxModels = 1024;  // later ones use the default
  // OpenAI and Gemini both name about four characters of English a token
  // (ai.google.dev/gemini-api/docs/tokens); code and other languages take more tokens.
  static constexpr double kDefaultBytesPerToken = 3.5;

  // At least 1 for a text that is not empty. Negative sizes count as 0.
  std::int64_t Estimate(std::string_view model, std::int64_t bytes) const;

  // What a provider counted for a text. Nonsense (0, negative) is ignored.
  void Learn(std::string_view model, std::int64_t bytes, std::int64_t tokens);

 private:
  // Sums in which earlier answers fade, so that large texts weigh more than small ones.
  struct Sums {
    double bytes = 0;
    double tokens = 0;
  };
  std::map<std::string, Sums, std::less<>> models_;
};

}  // namespace requestrouter::policy
