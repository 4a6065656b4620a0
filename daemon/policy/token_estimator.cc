#include "daemon/policy/token_estimator.h"

#include <algorithm>
#include <cmath>

namespace requestrouter::policy {
namespace {

constexpr double kFade = 0.95;           // about the last twenty answers matter
constexpr double kPriorTokens = 200;     // what the default weighs before the first answer
constexpr double kLeast = 1, kMost = 8;  // bytes per token

}  // namespace

std::int64_t TokenEstimator::Estimate(std::string_view model, std::int64_t bytes) const {
  if (bytes <= 0) return 0;
  const auto found = models_.find(model);
  const double ratio = found == models_.end()
                           ? kDefaultBytesPerToken
                           : std::clamp(found->second.bytes / found->second.tokens, kLeast, kMost);
  return static_cast<std::int64_t>(std::ceil(static_cast<double>(bytes) / ratio));
}

void TokenEstimator::Learn(std::string_view model, std::int64_t bytes, std::int64_t tokens) {
  if (bytes <= 0 || tokens <= 0) return;
  auto found = models_.find(model);
  if (found == models_.end()) {
    if (models_.size() >= kMaxModels) return;
    const Sums prior{kPriorTokens * kDefaultBytesPerToken, kPriorTokens};
    found = models_.emplace(std::string(model), prior).first;
  }
  found->second.bytes = found->second.bytes * kFade + static_cast<double>(bytes);
  found->second.tokens = found->second.tokens * kFade + static_cast<double>(tokens);
}

}  // namespace requestrouter::policy
