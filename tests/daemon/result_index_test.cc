#include "daemon/router/result_index.h"

#include <gtest/gtest.h>

namespace requestrouter::router {
namespace {

using std::chrono::seconds;
const policy::Instant kT0{std::chrono::hours(1)};

TEST(ResultIndex, AnIdIsKnownUntilItExpiresAndNotAfter) {
  ResultIndex index(10);
  index.Add(1, "a", "digest", kT0 + seconds(600));
  const std::string* digest = index.Find(1, "a", kT0 + seconds(600) - std::chrono::nanoseconds(1));
  ASSERT_NE(digest, nullptr);
  EXPECT_EQ(*digest, "digest");
  EXPECT_EQ(index.Find(1, "a", kT0 + seconds(600)), nullptr);
}

TEST(ResultIndex, IdsBelongToAUid) {
  ResultIndex index(10);
  index.Add(1, "a", "digest", kT0 + seconds(600));
  EXPECT_EQ(index.Find(2, "a", kT0), nullptr);
}

TEST(ResultIndex, TheOldestAreForgottenWhenItIsFull) {
  ResultIndex index(2);
  for (const char* id : {"a", "b", "c"}) index.Add(1, id, "digest", kT0 + seconds(600));
  EXPECT_EQ(index.Find(1, "a", kT0), nullptr);
  EXPECT_NE(index.Find(1, "b", kT0), nullptr);
  EXPECT_NE(index.Find(1, "c", kT0), nullptr);
}

TEST(ResultIndex, AnIdThatIsUsedAgainKeepsItsLaterExpiry) {
  ResultIndex index(10);
  index.Add(1, "a", "old", kT0 + seconds(10));
  index.Add(1, "a", "new", kT0 + seconds(20));
  const std::string* digest = index.Find(1, "a", kT0 + seconds(15));
  ASSERT_NE(digest, nullptr);
  EXPECT_EQ(*digest, "new");
}

TEST(ResultIndex, AnIdThatIsUsedAgainOutlivesItsOldPlaceInTheOrder) {
  ResultIndex index(2);
  index.Add(1, "a", "old", kT0 + seconds(10));
  index.Add(1, "b", "digest", kT0 + seconds(10));
  index.Add(1, "a", "new", kT0 + seconds(20));
  EXPECT_NE(index.Find(1, "a", kT0), nullptr);
  EXPECT_NE(index.Find(1, "b", kT0), nullptr);
}

TEST(ResultIndex, AnIdThatIsRemovedIsNotKnown) {
  ResultIndex index(10);
  index.Add(1, "a", "digest", kT0 + seconds(600));
  index.Remove(1, "a");
  EXPECT_EQ(index.Find(1, "a", kT0), nullptr);
}

}  // namespace
}  // namespace requestrouter::router
