#include "daemon/env_file.h"

#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/temp_dir.h"

namespace requestrouter {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Lines = std::vector<std::string>;

// What is said of a .env file beside keys named "main" and "other-1", without the folder's name.
Lines SaidOf(const std::string& text, const config::Environment& process = {},
             std::filesystem::perms mode = std::filesystem::perms::owner_read) {
  const support::TempDir directory;
  const std::string path = directory.Write(".env", text);
  std::filesystem::permissions(path, mode);
  config::Config config;
  config.keys.resize(2);
  config.keys[0].key_id = "main";
  config.keys[1].key_id = "other-1";
  const auto dotenv = config::ReadDotenv(path);
  if (!dotenv) return {"unreadable"};
  Lines lines;
  for (const config::Problem& doubt : DoubtsOf(*dotenv, process, config)) {
    std::string line = ToString(doubt);
    for (std::size_t at; (at = line.find(directory.path() + "/")) != std::string::npos;) {
      line.erase(at, directory.path().size() + 1);
    }
    lines.push_back(line);
  }
  return lines;
}

TEST(EnvFile, OfKeysAndSettingsAndOtherProgramsHasNoDoubts) {
  EXPECT_THAT(SaidOf("API_KEY_main=one\nAPI_KEY_OTHER_1=two\nLLM_MAX_RETRIES=3\nLOG_LEVEL=INFO\n"
                     "LOG_FORMAT=json\nLLM_MULTI_KEY_ROUTER_ENABLED=true\nEDITOR=vi\n"),
              IsEmpty());
}

TEST(EnvFile, WithSecretsIsForItsOwnerAlone) {
  using std::filesystem::perms;
  const perms open = perms::owner_read | perms::group_read;
  EXPECT_THAT(SaidOf("API_KEY_main=one\n", {}, open),
              ElementsAre(".env: holds secrets and is open to others than its owner; run: chmod "
                          "600 .env"));
  EXPECT_THAT(SaidOf("LOG_LEVEL=INFO\n", {}, open), IsEmpty());
}

TEST(EnvFile, ASecretOfNoKeyIsSaidWithTheKeyThatMayBeMeant) {
  EXPECT_THAT(SaidOf("API_KEY_mian=one\nAPI_KEY_something_else=two\n"),
              ElementsAre(".env:1: API_KEY_mian: is of no key in the configuration; did you mean "
                          "\"API_KEY_main\"?",
                          ".env:2: API_KEY_something_else: is of no key in the configuration"));
}

TEST(EnvFile, AMisspeltSettingIsSaid) {
  EXPECT_THAT(SaidOf("LLM_MAX_RETRY=3\n"),
              ElementsAre(".env:1: LLM_MAX_RETRY: is not read; did you mean \"LLM_MAX_RETRIES\"?"));
}

TEST(EnvFile, ASecretThatTheEnvironmentOverridesIsSaidWithoutEither) {
  EXPECT_THAT(SaidOf("API_KEY_main=one\n", {{"API_KEY_main", "one"}}), IsEmpty());
  EXPECT_THAT(SaidOf("API_KEY_main=one\n", {{"API_KEY_main", ""}}), IsEmpty());
  EXPECT_THAT(SaidOf("API_KEY_main=one\n", {{"API_KEY_main", "two"}}),
              ElementsAre(".env:1: API_KEY_main: has no effect: the environment holds another, "
                          "which wins"));
}

}  // namespace
}  // namespace requestrouter
