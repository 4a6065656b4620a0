#include "daemon/router/result_index.h"

#include <gtest/gtest.h>

namespace requestrouter::router {
namespace {

using std::chrono::seconds;
const policy::Instant kT0{std::chrono::hours(1)};
constexpr char kDigest[] = "0123456789abcdef";
constexpr char kOther[] = "fedcba9876543210";

TEST(ResultIndex, AnIdIsKnownUntilItExpiresAndNotAfter) {
  ResultIndex index(10);
  index.Add(1, "a", kDigest, kT0 + seconds(600));
  EXPECT_EQ(index.Find(1, "a", kT0 + seconds(600) - std::chrono::nanoseconds(1)), kDigest);
  EXPECT_EQ(index.Find(1, "a", kT0 + seconds(600)), std::nullopt);
}

TEST(ResultIndex, IdsBelongToAUid) {
  ResultIndex index(10);
  index.Add(1, "a", kDigest, kT0 + seconds(600));
  EXPECT_EQ(index.Find(2, "a", kT0), std::nullopt);
}

TEST(ResultIndex, TheOldestAreForgottenWhenItIsFull) {
  ResultIndex index(2);
  for (const char* id : {"a", "b", "c"}) index.Add(1, id, kDigest, kT0 + seconds(600));
  EXPECT_EQ(index.Find(1, "a", kT0), std::nullopt);
  EXPECT_NE(index.Find(1, "b", kT0), std::nullopt);
  EXPECT_NE(index.Find(1, "c", kT0), std::nullopt);
}

TEST(ResultIndex, AnIdThatIsUsedAgainKeepsItsLaterExpiry) {
  ResultIndex index(10);
  index.Add(1, "a", kDigest, kT0 + seconds(10));
  index.Add(1, "a", kOther, kT0 + seconds(20));
  EXPECT_EQ(index.Find(1, "a", kT0 + seconds(15)), kOther);
}

TEST(ResultIndex, AnIdThatIsUsedAgainOutlivesItsOldPlaceInTheOrder) {
  ResultIndex index(2);
  index.Add(1, "a", kDigest, kT0 + seconds(10));
  index.Add(1, "b", kDigest, kT0 + seconds(10));
  index.Add(1, "a", kOther, kT0 + seconds(20));
  EXPECT_NE(index.Find(1, "a", kT0), std::nullopt);
  EXPECT_NE(index.Find(1, "b", kT0), std::nullopt);
}

TEST(ResultIndex, AnIdThatIsRemovedIsNotKnown) {
  ResultIndex index(10);
  index.Add(1, "a", kDigest, kT0 + seconds(600));
  index.Remove(1, "a");
  EXPECT_EQ(index.Find(1, "a", kT0), std::nullopt);
}

}  // namespace
}  // namespace requestrouter::router
