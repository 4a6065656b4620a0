#include "daemon/upstream/easy_pool.h"

#include <gtest/gtest.h>

namespace requestrouter::upstream {
namespace {

TEST(EasyPool, KeepsNoHandleOfACurlThatRemembersTheKeyInIt) {
  EXPECT_TRUE(MayBeKept(0x075801));  // 7.88.1
  EXPECT_TRUE(MayBeKept(0x0806FF));  // before 8.7.0
  EXPECT_FALSE(MayBeKept(0x080700));
  EXPECT_FALSE(MayBeKept(0x080E01));  // 8.14.1
}

}  // namespace
}  // namespace requestrouter::upstream
