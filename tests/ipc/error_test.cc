#include "ipc/error.h"

#include <algorithm>
#include <vector>

#include <gtest/gtest.h>

namespace requestrouter::ipc {
namespace {

TEST(ErrorType, EveryTypeIsFoundAgainByItsName) {
  for (int i = 0; i <= static_cast<int>(ErrorType::kInternalError); ++i) {
    const auto type = static_cast<ErrorType>(i);
    EXPECT_EQ(ErrorTypeFromName(Name(type)), type) << Name(type);
  }
}

TEST(ErrorType, ANameThatIsNotInTheListHasNoType) {
  EXPECT_EQ(ErrorTypeFromName("no_such_error"), std::nullopt);
}

TEST(ErrorType, ExactlyTheTypesThatThePageNamesAreRetryable) {
  const std::vector<ErrorType> retryable = {
      ErrorType::kRateLimited,         ErrorType::kAllKeysExhausted,   ErrorType::kDeadlineExceeded,
      ErrorType::kUpstreamUnavailable, ErrorType::kStorageUnavailable, ErrorType::kOverloaded,
      ErrorType::kShuttingDown};
  for (int i = 0; i <= static_cast<int>(ErrorType::kInternalError); ++i) {
    const auto type = static_cast<ErrorType>(i);
    const bool listed = std::find(retryable.begin(), retryable.end(), type) != retryable.end();
    EXPECT_EQ(IsRetryable(type), listed) << Name(type);
  }
}

}  // namespace
}  // namespace requestrouter::ipc
