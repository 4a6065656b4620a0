#include "daemon/logging.h"

#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include "daemon/log_record.h"
#include "daemon/secrets/redactor.h"
#include "tests/support/temp_dir.h"

namespace requestrouter {
namespace {

TEST(Logging, NeitherAMessageNorAFieldHoldsASecret) {
  secrets::ProcessRedactor().SetSecrets({"planted-secret"});
  const support::TempDir folder;
  LogOptions options;
  options.file = folder.File("own.log");
  const auto logging = Logging::Start(options);
  ASSERT_TRUE(logging) << logging.error();
  spdlog::info(LogRecord("m").With("error", "it said planted-secret").packed());
  spdlog::warn("with {}", "planted-secret");
  (*logging)->Flush();
  const std::string text = folder.Read("own.log");
  EXPECT_EQ(text.find("planted"), text.npos);
  EXPECT_NE(text.find("info m error=\"it said [redacted]\"\n"), text.npos) << text;
  EXPECT_NE(text.find("warning with [redacted]\n"), text.npos) << text;
  secrets::ProcessRedactor().SetSecrets({});
}

TEST(Logging, LinesThatAreNotTakenAreCountedAndToldWhenTheyAreAgain) {
  LogOptions options;
  options.file = "/dev/full";
  const auto logging = Logging::Start(options);
  ASSERT_TRUE(logging) << logging.error();
  spdlog::info("one");
  spdlog::info("two");
  spdlog::debug("not wanted");
  (*logging)->Flush();
  EXPECT_EQ((*logging)->lost(), 2u);

  const support::TempDir folder;
  options.file = folder.File("own.log");
  ASSERT_TRUE((*logging)->Change(options));
  (*logging)->WarnOfLost();
  (*logging)->WarnOfLost();  // nothing new
  (*logging)->Flush();
  const std::string text = folder.Read("own.log");
  EXPECT_NE(text.find(" at_least=2\n"), text.npos) << text;
  EXPECT_EQ(text.find('\n'), text.size() - 1) << text;
}

TEST(Logging, ALevelThatDoesNotExistIsAnErrorAndChangesNothing) {
  const support::TempDir folder;
  LogOptions options;
  options.file = folder.File("own.log");
  const auto logging = Logging::Start(options);
  ASSERT_TRUE(logging) << logging.error();
  LogOptions wrong;
  wrong.level = "loud";
  const auto changed = (*logging)->Change(wrong);
  ASSERT_FALSE(changed);
  EXPECT_EQ(changed.error(),
            "no log level \"loud\": use trace, debug, info, warning, error, critical or off");
  spdlog::info("still here");
  (*logging)->Flush();
  EXPECT_NE(folder.Read("own.log").find("still here"), std::string::npos);
}

}  // namespace
}  // namespace requestrouter
