#include <signal.h>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/secrets/support.h"

namespace requestrouter::secrets {
namespace {

using Kind = config::SecretSource::Kind;
using std::chrono::milliseconds;

const config::Environment kPath = {{"PATH", "/usr/bin:/bin"}};

std::string OutcomeOfCommand(const std::string& command,
                             milliseconds timeout = milliseconds(60'000)) {
  config::Settings settings;
  settings.secret_timeout = timeout;
  return OutcomeOf({Kind::kCommand, command}, kPath, settings);
}

TEST(CommandSecrets, AreWhatTheCommandPrints) {
  EXPECT_EQ(OutcomeOfCommand("echo printed"), "printed");
  EXPECT_EQ(OutcomeOfCommand("printf %s printed"), "printed");
  EXPECT_EQ(OutcomeOfCommand("echo print | tr t T; exit 0"), "prinT");
}

TEST(CommandSecrets, OfTheStoreAreToldTheKey) {
  config::Settings settings;
  settings.secret_command = "echo secret-of-$KEY_ID-$EXTRA";
  config::Environment environment = kPath;
  environment["EXTRA"] = "extra";
  environment["KEY_ID"] = "wrong";
  EXPECT_EQ(OutcomeOf({Kind::kCommand, ""}, environment, settings), "secret-of-a-extra");
}

TEST(CommandSecrets, WhatAFailingCommandSaysIsNotRepeated) {
  EXPECT_EQ(OutcomeOfCommand("echo hidden; echo hidden >&2; exit 3"),
            "its command exited with status 3; run it by hand, as routerd's user, to see why");
  EXPECT_EQ(OutcomeOfCommand("/nonexistent/program"),
            "its command was not found (status 127); write its path, or install it");
  EXPECT_EQ(OutcomeOfCommand("kill -TERM $$"),
            "its command was killed by signal 15; run it by hand, as routerd's user, to see why");
}

TEST(CommandSecrets, StderrIsNotPartOfThem) {
  EXPECT_EQ(OutcomeOfCommand("echo noise >&2; echo printed"), "printed");
}

TEST(CommandSecrets, ACommandReadsNothingFromTheDaemonsInput) {
  EXPECT_EQ(OutcomeOfCommand("cat; echo end"), "end");
}

TEST(CommandSecrets, ThatAreNoKeysAreRefused) {
  EXPECT_EQ(OutcomeOfCommand("true"),
            "what its command gives is empty; put the provider's API key there");
  EXPECT_EQ(OutcomeOfCommand("echo hidden; echo hidden"),
            "what its command gives holds a line break; it must be the API key alone, on one line");
}

TEST(CommandSecrets, ACommandThatPrintsWithoutEndIsStopped) {
  EXPECT_EQ(OutcomeOfCommand("yes"),
            "its command printed too much; it must print the API key alone");
}

TEST(CommandSecrets, TheLongestSecretWithItsLineBreakIsNotTooMuch) {
  EXPECT_EQ(OutcomeOfCommand("head -c 4096 /dev/zero | tr '\\0' k; echo").size(), 4096u);
  EXPECT_EQ(
      OutcomeOfCommand("head -c 4097 /dev/zero | tr '\\0' k; echo"),
      "what its command gives is longer than 4096 bytes; it must hold nothing but the API key");
}

TEST(CommandSecrets, ACommandThatDoesNotEndIsStoppedWithItsChildren) {
  const support::TempDir directory;
  const std::string pid_file = directory.path() + "/pid";
  // The child writes its pid before the timeout can strike: the file is complete or absent.
  const std::string command = "sh -c 'echo $$ > " + pid_file + ".new; mv " + pid_file + ".new " +
                              pid_file + "; exec tail -f /dev/null' & wait";
  std::string said;
  for (int timeout = 200; !std::filesystem::exists(pid_file); timeout *= 2) {
    said = OutcomeOfCommand(command, milliseconds(timeout));
    EXPECT_EQ(said, "its command did not end within " + std::to_string(timeout) +
                        " ms; make it faster or raise config.secret_timeout_ms");
  }
  pid_t pid = 0;
  std::ifstream(pid_file) >> pid;
  ASSERT_GT(pid, 0);
  // Killed, though perhaps not yet reaped by init: then it can no longer be waiting for input.
  std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
  std::string line;
  std::getline(stat, line);
  const auto name_end = line.rfind(')');
  const char state = name_end == std::string::npos ? 'X' : line.at(name_end + 2);
  EXPECT_THAT(state, ::testing::AnyOf('X', 'Z', 'R', 'D')) << line;
}

TEST(CommandSecrets, ADescendantThatKeepsTheOutputOpenIsNotWaitedFor) {
  EXPECT_EQ(OutcomeOfCommand("setsid tail -f /dev/null --pid=$$ & echo printed"), "printed");
}

TEST(CommandSecrets, SignalsThatTheDaemonBlocksAreNotBlockedInIt) {
  sigset_t blocked, before;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGTERM);
  ASSERT_EQ(::pthread_sigmask(SIG_BLOCK, &blocked, &before), 0);
  const std::string said = OutcomeOfCommand("kill -TERM $$; echo survived");
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  EXPECT_EQ(said,
            "its command was killed by signal 15; run it by hand, as routerd's user, to see why");
}

}  // namespace
}  // namespace requestrouter::secrets
