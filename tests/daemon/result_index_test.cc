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
  index.Add(1, "a", kDigest, 7, kT0 + seconds(600));
  const auto known = index.Find(1, "a", kT0 + seconds(600) - std::chrono::nanoseconds(1));
  ASSERT_TRUE(known);
  EXPECT_EQ(known->body_digest(), kDigest);
  EXPECT_EQ(known->result_id, 7);
  EXPECT_FALSE(index.Find(1, "a", kT0 + seconds(600)));
}

TEST(ResultIndex, IdsBelongToAUid) {
  ResultIndex index(10);
  index.Add(1, "a", kDigest, 7, kT0 + seconds(600));
  EXPECT_FALSE(index.Find(2, "a", kT0));
}

TEST(ResultIndex, TheOldestAreForgottenWhenItIsFull) {
  ResultIndex index(2);
  for (const char* id : {"a", "b", "c"}) index.Add(1, id, kDigest, 7, kT0 + seconds(600));
  EXPECT_FALSE(index.Find(1, "a", kT0));
  EXPECT_TRUE(index.Find(1, "b", kT0));
  EXPECT_TRUE(index.Find(1, "c", kT0));
}

TEST(ResultIndex, AnIdThatIsUsedAgainKeepsItsLaterExpiry) {
  ResultIndex index(10);
  index.Add(1, "a", kDigest, 7, kT0 + seconds(10));
  index.Add(1, "a", kOther, 7, kT0 + seconds(20));
  EXPECT_EQ(index.Find(1, "a", kT0 + seconds(15))->body_digest(), kOther);
}

TEST(ResultIndex, AnIdThatIsUsedAgainOutlivesItsOldPlaceInTheOrder) {
  ResultIndex index(2);
  index.Add(1, "a", kDigest, 7, kT0 + seconds(10));
  index.Add(1, "b", kDigest, 7, kT0 + seconds(10));
  index.Add(1, "a", kOther, 7, kT0 + seconds(20));
  EXPECT_TRUE(index.Find(1, "a", kT0));
  EXPECT_TRUE(index.Find(1, "b", kT0));
}

TEST(ResultIndex, AnIdThatIsRemovedIsNotKnown) {
  ResultIndex index(10);
  index.Add(1, "a", kDigest, 7, kT0 + seconds(600));
  index.Remove(1, "a");
  EXPECT_FALSE(index.Find(1, "a", kT0));
}

}  // namespace
}  // namespace requestrouter::router
