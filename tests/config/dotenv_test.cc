#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/config/load_support.h"

namespace requestrouter::config {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// The value of A in a file, or the errors.
std::string ValueOfA(const std::string& text) {
  const support::TempDir directory;
  const auto dotenv = ReadDotenv(directory.Write(".env", text));
  if (!dotenv) return "error: " + Lines(dotenv.error(), directory).front();
  const auto at = dotenv->values.find("A");
  return at == dotenv->values.end() ? "absent" : at->second;
}

struct Row {
  std::string text;
  std::string value;
};

TEST(DotenvFile, ValuesFollowTheUsualRules) {
  const Row rows[] = {
      {"A=b", "b"},
      {"A=b\n", "b"},
      {"A=b\r\n", "b"},
      {"\xef\xbb\xbf"
       "A=b",
       "b"},
      {"  A = b  ", "b"},
      {"export A=b", "b"},
      {"export\tA=b", "b"},
      {"A=", ""},
      {"A=   ", ""},
      {"A=b=c==", "b=c=="},
      {"A=b c", "b c"},
      {"A=b # comment", "b"},
      {"A=b#c", "b#c"},
      {"A=#b", "#b"},
      {"A= # comment", ""},
      {"A='b # c' # comment", "b # c"},
      {"A=\"b # c\"# comment", "b # c"},
      {"A=''", ""},
      {"A=\"\"", ""},
      {"A='b\\nc'", "b\\nc"},
      {"A='it\\'s'", "it's"},
      {"A=\"b\\nc\\td\\re\"", "b\nc\td\re"},
      {"A=\"\\\"b\\\\\\$\"", "\"b\\$"},
      {"A=\"b\\xc\"", "b\\xc"},
      {"A=$HOME", "$HOME"},
      {"A=\"${HOME}\"", "${HOME}"},
      {"A=b\"c\"", "b\"c\""},
      {"#A=b", "absent"},
      {"\n\n \t\n# x\nA=b", "b"},
      {"", "absent"},
  };
  for (const Row& row : rows) EXPECT_EQ(ValueOfA(row.text), row.value) << row.text;
}

TEST(DotenvFile, MistakesNameTheLineAndNeverShowAValue) {
  const Row rows[] = {
      {"\nhidden", "error: .env:2: expected NAME=VALUE"},
      {"export A", "error: .env:1: expected NAME=VALUE"},
      {"A: hidden", "error: .env:1: expected NAME=VALUE"},
      {"=hidden",
       "error: .env:1: the name before '=' must be of letters, digits, '_', '-' and '.'"},
      {"A B=hidden",
       "error: .env:1: the name before '=' must be of letters, digits, '_', '-' and '.'"},
      {"1A=hidden",
       "error: .env:1: the name before '=' must be of letters, digits, '_', '-' and '.'"},
      {"A='hidden", "error: .env:1: A: the closing quote (') is missing on this line"},
      {std::string("\xff\xfe"
                   "A\0=\0h\0",
                   8),
       "error: .env: is UTF-16 text; save it as UTF-8"},
      {"A=\"hidden\n\"", "error: .env:1: A: the closing quote (\") is missing on this line"},
      {"A=\"hidden\\\"", "error: .env:1: A: the closing quote (\") is missing on this line"},
      {"A='b' hidden", "error: .env:1: A: there is text after the closing quote; remove it"},
      {std::string("A=b\0c", 5), "error: .env:1: A: the value holds a NUL byte; remove it"},
  };
  for (const Row& row : rows) EXPECT_EQ(ValueOfA(row.text), row.value) << row.text;
}

TEST(DotenvFile, AllMistakesAreSaidAtOnce) {
  const support::TempDir directory;
  const auto dotenv = ReadDotenv(directory.Write(".env", "x\nA=b\ny\n"));
  ASSERT_FALSE(dotenv);
  EXPECT_THAT(Lines(dotenv.error(), directory),
              ElementsAre(".env:1: expected NAME=VALUE", ".env:3: expected NAME=VALUE"));
}

TEST(DotenvFile, OfANameSetTwiceTheLastHoldsWithAWarning) {
  const support::TempDir directory;
  const auto dotenv = ReadDotenv(directory.Write(".env", "A=b\n\nA=c\n"));
  ASSERT_TRUE(dotenv);
  EXPECT_EQ(dotenv->values.at("A"), "c");
  EXPECT_EQ(dotenv->lines.at("A"), 3);
  EXPECT_THAT(Lines(dotenv->warnings, directory),
              ElementsAre(".env:3: A: also set on line 1; this one holds, remove the other"));
}

TEST(DotenvFile, NamesMayHoldWhateverAKeyIdMay) {
  const support::TempDir directory;
  const auto dotenv = ReadDotenv(directory.Write(".env", "API_KEY_gpt-4.1:a@b+c=x\n"));
  ASSERT_TRUE(dotenv);
  EXPECT_THAT(dotenv->warnings, IsEmpty());
  EXPECT_EQ(dotenv->values.at("API_KEY_gpt-4.1:a@b+c"), "x");
}

TEST(DotenvFile, ThatIsNotThereIsAnError) {
  const support::TempDir directory;
  const auto dotenv = ReadDotenv(directory.path() + "/.env");
  ASSERT_FALSE(dotenv);
  EXPECT_THAT(Lines(dotenv.error(), directory),
              ElementsAre(".env: does not exist; check the path"));
}

}  // namespace
}  // namespace requestrouter::config
