#include <gtest/gtest.h>

#include "tests/secrets/support.h"

namespace requestrouter::secrets {
namespace {

using Kind = config::SecretSource::Kind;
using std::filesystem::perms;

TEST(FileSecrets, AreReadWithoutTheNewlineAtTheEnd) {
  const support::TempDir directory;
  EXPECT_EQ(OutcomeOf({Kind::kFile, directory.Write("key", "from-file\n", perms(0600))}, {}),
            "from-file");
  EXPECT_EQ(OutcomeOf({Kind::kFile, directory.Write("read-only", "from-file", perms(0400))}, {}),
            "from-file");
}

TEST(FileSecrets, OpenToOthersAreRefusedWithTheRemedy) {
  const support::TempDir directory;
  for (const mode_t mode : {0640u, 0604u, 0620u, 0602u, 0610u, 0601u}) {
    const std::string path = directory.Write("key", "hidden", perms(mode));
    char octal[8];
    std::snprintf(octal, sizeof octal, "%04o", mode);
    EXPECT_EQ(
        OutcomeOf({Kind::kFile, path}, {}),
        path + " is open to others than its owner (mode " + octal + "); run: chmod 600 " + path);
  }
}

TEST(FileSecrets, OfTheStoreAreNamedAfterTheKey) {
  const support::TempDir directory;
  directory.Write("a", "of-a", perms(0600));
  config::Settings settings;
  settings.secret_directory = directory.path();
  EXPECT_EQ(OutcomeOf({Kind::kFile, ""}, {}, settings), "of-a");
}

TEST(FileSecrets, ThatCannotBeReadSayWhy) {
  const support::TempDir directory;
  const std::string absent = directory.path() + "/absent";
  EXPECT_EQ(OutcomeOf({Kind::kFile, absent}, {}),
            absent + " does not exist; create it with the API key in it");
  EXPECT_EQ(OutcomeOf({Kind::kFile, directory.path()}, {}),
            directory.path() + " is not a regular file");
  const std::string fifo = directory.path() + "/fifo";
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  EXPECT_EQ(OutcomeOf({Kind::kFile, fifo}, {}), fifo + " is not a regular file");
}

// Root may read everything, so root becomes somebody else for a moment.
TEST(FileSecrets, ThatMayNotBeReadNameTheUid) {
  const support::TempDir directory;
  const std::string path = directory.Write("key", "hidden", perms(0));
  const uid_t before = ::geteuid();
  const uid_t reader = before == 0 ? 65534 : before;
  ASSERT_EQ(::seteuid(reader), 0);
  const std::string said = OutcomeOf({Kind::kFile, path}, {});
  ASSERT_EQ(::seteuid(before), 0);
  EXPECT_EQ(said, path + " cannot be read by uid " + std::to_string(reader) +
                      "; chown it to that user and chmod it to 600");
}

TEST(FileSecrets, ThatAreNoKeysAreRefusedWithoutShowingThem) {
  const support::TempDir directory;
  const std::string empty = directory.Write("empty", "", perms(0600));
  EXPECT_EQ(OutcomeOf({Kind::kFile, empty}, {}),
            "what file " + empty + " gives is empty; put the provider's API key there");
  const std::string large = directory.Write("large", std::string(1 << 20, 'h'), perms(0600));
  EXPECT_EQ(OutcomeOf({Kind::kFile, large}, {}),
            "what file " + large +
                " gives is longer than 4096 bytes; it must hold nothing but the API key");
}

TEST(Credentials, AreReadFromSystemdsDirectory) {
  const support::TempDir directory;
  directory.Write("gemini", "from-systemd\n", perms(0440));
  directory.Write("a", "of-a", perms(0400));
  const config::Environment environment = {{"CREDENTIALS_DIRECTORY", directory.path()}};
  EXPECT_EQ(OutcomeOf({Kind::kCredential, "gemini"}, environment), "from-systemd");
  EXPECT_EQ(OutcomeOf({Kind::kCredential, ""}, environment), "of-a");
}

TEST(Credentials, AreFoundWhereNoVariableIsSet) {
  const support::TempDir directory;
  directory.Write("a", "of-a", perms(0400));
  config::Environment environment = {{"CREDENTIALS_DIRECTORY", directory.path()}};
  EXPECT_EQ(OutcomeOf({}, environment), "of-a");
  environment["API_KEY_a"] = "variable";
  EXPECT_EQ(OutcomeOf({}, environment), "variable");
}

TEST(Credentials, OfAFolderAreFoundByTheKeysId) {
  const support::TempDir directory;
  directory.Write("key_a", "of-the-folder", perms(0400));
  const config::Environment environment = {{"CREDENTIALS_DIRECTORY", directory.path()}};
  EXPECT_EQ(OutcomeOf({Kind::kEnvironment, ""}, environment), "of-the-folder");
  EXPECT_EQ(OutcomeOf({Kind::kCredential, ""}, environment), "of-the-folder");
  directory.Write("a", "its-own", perms(0400));
  EXPECT_EQ(OutcomeOf({Kind::kEnvironment, ""}, environment), "its-own");
}

TEST(Credentials, DoNotHideVariablesThatDisagree) {
  const support::TempDir directory;
  directory.Write("a", "of-a", perms(0400));
  EXPECT_EQ(OutcomeOf({}, {{"CREDENTIALS_DIRECTORY", directory.path()},
                           {"API_KEY_a", "one"},
                           {"API_KEY_A", "two"}}),
            "API_KEY_a and API_KEY_A are set to different values; remove one");
}

TEST(Credentials, ThatSystemdDidNotPassNameTheLineForTheUnit) {
  const support::TempDir directory;
  EXPECT_EQ(OutcomeOf({Kind::kCredential, "gemini"}, {}),
            "systemd passed no credentials; add LoadCredential=gemini:/path/to/file to the unit");
  EXPECT_EQ(OutcomeOf({Kind::kCredential, ""}, {{"CREDENTIALS_DIRECTORY", directory.path()}}),
            "systemd passed no credential \"a\"; add LoadCredential=a:/path/to/file to the unit");
}

}  // namespace
}  // namespace requestrouter::secrets
