#include "daemon/config/suggest.h"

#include <gtest/gtest.h>

namespace requestrouter::config {
namespace {

TEST(EditDistances, CountSingleEdits) {
  EXPECT_EQ(EditDistance("", ""), 0u);
  EXPECT_EQ(EditDistance("rpm", "RPM"), 0u);
  EXPECT_EQ(EditDistance("rpm", ""), 3u);
  EXPECT_EQ(EditDistance("rpmm", "rpm"), 1u);
  EXPECT_EQ(EditDistance("rpm", "tpm"), 1u);
  EXPECT_EQ(EditDistance("rmp", "rpm"), 1u);  // neighbours swapped
  EXPECT_EQ(EditDistance("kitten", "sitting"), 3u);
}

TEST(Suggestions, AreTheNearestWithinAThirdOfTheName) {
  const std::vector<std::string> names = {"rpm", "tpm", "provider"};
  EXPECT_EQ(Suggest("rpmm", names), "rpm");
  EXPECT_EQ(Suggest("provder", names), "provider");
  EXPECT_EQ(Suggest("privadr", names), std::nullopt);  // 3 edits of 7 characters
  EXPECT_EQ(Suggest("x", names), std::nullopt);
}

TEST(Suggestions, OfVeryLongNamesAreNotLookedFor) {
  const std::string text(100'000, 'a');
  EXPECT_EQ(Suggest(text, std::vector<std::string>{text}), std::nullopt);
}

}  // namespace
}  // namespace requestrouter::config
