#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/secrets/support.h"

namespace requestrouter::secrets {
namespace {

using config::Environment;
using ::testing::ElementsAre;
using Kind = config::SecretSource::Kind;

// The secret, or the error.
std::string Outcome(const config::Key& key, const Environment& environment) {
  const auto secret = Fetch(key, {}, environment);
  return secret ? std::string(secret->Reveal()) : secret.error();
}

TEST(EnvironmentSecrets, AreFoundInAllThreeSpellings) {
  const config::Key key = KeyNamed("gemini-flash-01");
  EXPECT_EQ(Outcome(key, {{"API_KEY_gemini-flash-01", "one"}}), "one");
  EXPECT_EQ(Outcome(key, {{"API_KEY_gemini_flash_01", "two"}}), "two");
  EXPECT_EQ(Outcome(key, {{"API_KEY_GEMINI_FLASH_01", "three"}}), "three");
}

TEST(EnvironmentSecrets, OfTheExampleFilesAreFound) {
  const auto dotenv = config::ReadDotenv(REPO_ROOT "/tests/golden/config/dotenv");
  ASSERT_TRUE(dotenv);
  const auto loaded = config::Load(REPO_ROOT "/tests/golden/config/keys.json", dotenv->values);
  ASSERT_TRUE(loaded);
  std::vector<std::string> secrets;
  for (const config::Key& key : loaded->config.keys) {
    secrets.push_back(Outcome(key, dotenv->values));
  }
  EXPECT_THAT(secrets,
              ElementsAre("test-secret-flash-01", "test-secret-flash-02", "test-secret-pro-01"));
}

TEST(EnvironmentSecrets, APointInAKeyIdIsAnUnderscoreInAVariable) {
  EXPECT_THAT(VariablesOf("gpt-4.1"),
              ElementsAre("API_KEY_gpt-4.1", "API_KEY_gpt_4_1", "API_KEY_GPT_4_1"));
}

TEST(EnvironmentSecrets, AKeyIdThatIsAVariableAlreadyHasOneSpelling) {
  EXPECT_THAT(VariablesOf("KEY_1"), ElementsAre("API_KEY_KEY_1"));
}

TEST(EnvironmentSecrets, SpellingsThatAgreeAreFine) {
  EXPECT_EQ(Outcome(KeyNamed("a-b"), {{"API_KEY_a-b", "same"}, {"API_KEY_A_B", "same"}}), "same");
}

TEST(EnvironmentSecrets, SpellingsThatDisagreeAreAnErrorThatShowsNeither) {
  EXPECT_EQ(Outcome(KeyNamed("a-b"), {{"API_KEY_a-b", "first"}, {"API_KEY_A_B", "second"}}),
            "no secret for key \"a-b\": API_KEY_a-b and API_KEY_A_B are set to different values; "
            "remove one");
}

TEST(EnvironmentSecrets, AMissingOneNamesEveryPlaceAndTheRemedy) {
  EXPECT_EQ(Outcome(KeyNamed("a-b"), {{"API_KEY_other", "x"}}),
            "no secret for key \"a-b\": none of API_KEY_a-b, API_KEY_a_b, API_KEY_A_B is set; set "
            "one in the environment or the --env-file");
}

TEST(EnvironmentSecrets, AnEmptyVariableIsNotSet) {
  EXPECT_EQ(Outcome(KeyNamed("a-b"), {{"API_KEY_a-b", ""}, {"API_KEY_a_b", "full"}}), "full");
}

TEST(EnvironmentSecrets, ANamedVariableIsTheOnlyOneLookedAt) {
  const config::Key key = KeyNamed("a", {Kind::kEnvironment, "MY_KEY"});
  EXPECT_EQ(Outcome(key, {{"MY_KEY", "mine"}, {"API_KEY_a", "other"}}), "mine");
  EXPECT_EQ(Outcome(key, {{"API_KEY_a", "other"}}),
            "no secret for key \"a\": MY_KEY is not set; set it in the environment or the "
            "--env-file");
}

struct Unfit {
  const char* what;
  std::string value;
  const char* fault;
};

TEST(EnvironmentSecrets, WhatCannotBeAKeyIsRefusedWithoutShowingIt) {
  const Unfit rows[] = {
      {"newline within", "hidden\nhidden",
       "holds a line break; it must be the API key alone, on one line"},
      {"two newlines at the end", "hidden\n\n",
       "holds a line break; it must be the API key alone, on one line"},
      {"tab", "hidden\thidden", "holds a control character; enter the API key again"},
      {"NUL", std::string("hidden\0hidden", 13),
       "holds a control character; enter the API key again"},
      {"space", "hidden hidden", "holds a space; it must be the API key alone"},
      {"not ASCII", "hidden\xc3\xa9",
       "holds a character that is not ASCII; enter the API key again"},
      {"only a newline", "\n", "is empty; put the provider's API key there"},
      {"too long", std::string(kMaxSecretBytes + 1, 'h'),
       "is longer than 4096 bytes; it must hold nothing but the API key"},
  };
  for (const Unfit& row : rows) {
    EXPECT_EQ(Outcome(KeyNamed("a"), {{"API_KEY_a", row.value}}),
              std::string("no secret for key \"a\": what variable API_KEY_a gives ") + row.fault)
        << row.what;
  }
}

TEST(EnvironmentSecrets, TheLongestAndOneWithANewlineAtTheEndAreFine) {
  const std::string longest(kMaxSecretBytes, 'k');
  EXPECT_EQ(Outcome(KeyNamed("a"), {{"API_KEY_a", longest}}), longest);
  EXPECT_EQ(Outcome(KeyNamed("a"), {{"API_KEY_a", "key\n"}}), "key");
  EXPECT_EQ(Outcome(KeyNamed("a"), {{"API_KEY_a", "key\r\n"}}), "key");
}

}  // namespace
}  // namespace requestrouter::secrets
