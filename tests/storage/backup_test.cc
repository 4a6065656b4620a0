#include <gmock/gmock.h>
#include <sys/stat.h>

#include <atomic>
#include <fstream>
#include <thread>

#include "storage/database.h"
#include "tests/storage/store_fixture.h"

namespace requestrouter::storage {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class BackupTest : public StoreTest {
 protected:
  std::string File(const std::string& name) const { return folder_ + "/" + name; }
};

TEST_F(BackupTest, ABackupHoldsWhatWasCommittedAndIsForItsOwnerAlone) {
  AddTurn(TurnOf(1, "talk", "one"));
  const std::string path = File("copy.db");
  const auto written = BackUp(path);
  ASSERT_TRUE(written) << written.error().message;
  EXPECT_GT(written->count, 0);
  struct stat status {};
  stat(path.c_str(), &status);
  EXPECT_EQ(status.st_mode & 077, 0u);
  Database copy(path, Database::Mode::kReadOnly);
  EXPECT_EQ(copy.QueryInteger("SELECT count(*) FROM messages"), 2);
}

TEST_F(BackupTest, AnExistingFileIsNeverReplacedAndAPathMustBeAbsolute) {
  std::ofstream(File("taken")) << "mine";
  EXPECT_THAT(BackUp(File("taken")).error().message, HasSubstr("exists already"));
  EXPECT_THAT(BackUp("copy.db").error().message, HasSubstr("absolute"));
  EXPECT_FALSE(BackUp("/proc/copy.db"));
  EXPECT_TRUE(store_->healthy()) << "a place that cannot be written is not the database's trouble";
}

TEST_F(BackupTest, TurnsGoOnDuringABackupAndItHoldsAWholeNumberOfThemInOrder) {
  std::atomic<bool> stop{false};
  std::atomic<int> written{0};
  std::thread load([&] {
    while (!stop) {
      if (AddTurn(TurnOf(1, "talk", std::to_string(written)))) ++written;
    }
  });
  for (int i = 0; i < 5; ++i) {
    const int before = written;
    const std::string path = File("copy" + std::to_string(i));
    ASSERT_TRUE(BackUp(path));
    const int after = written;
    Database copy(path, Database::Mode::kReadOnly);
    const auto turns = copy.QueryInteger("SELECT count(*) FROM messages") / 2;
    EXPECT_GE(turns, before);
    EXPECT_LE(turns, after + 1);
    EXPECT_EQ(copy.QueryInteger("SELECT count(*) FROM messages WHERE role = 'user'"
                                " AND CAST(text AS INTEGER) = seq / 2"),
              turns);
  }
  stop = true;
  load.join();
  EXPECT_GT(written, 0);
}

TEST_F(BackupTest, ARestoreBringsConversationsAndUsageBackAndLeavesQuotaAlone) {
  Finish finish;
  finish.turn = TurnOf(1, "talk", "one");
  finish.usage.push_back({1, "coder", "", "k1", "flash", kNow, 1, 0, 10, 5, 0, 7});
  ASSERT_TRUE(Write(finish));
  ASSERT_TRUE(BackUp(File("backup")));
  finish.turn = TurnOf(1, "talk", "two");
  ASSERT_TRUE(Write(finish));
  AddTurn(TurnOf(1, "new", "hello"));
  Write(KeyState{"k1", "cooling", kNow + 5, "429", "RetryInfo", 2});
  AttemptOpened attempt;
  attempt.attempt_id = 9;
  attempt.at = kNow;
  store_->OpenAttempt(attempt);

  const auto written = Write(Restore{File("backup"), kNow});
  ASSERT_TRUE(written) << written.error().message;
  EXPECT_EQ(written->count, 1);
  EXPECT_EQ(written->left, 2);
  EXPECT_THAT(Questions(*store_), ElementsAre("one"));
  EXPECT_THAT(List(1), ElementsAre("talk"));
  EXPECT_EQ(Usages({})->front().requests, 1);
  AddTurn(TurnOf(1, "talk", "three"));
  Reopen();
  EXPECT_THAT(Questions(*store_), ElementsAre("one", "three"));
  const auto recovered = store_->Recover(kNow);
  EXPECT_EQ(recovered->last_attempt_id, 9);
  EXPECT_EQ(recovered->keys.size(), 1u);
  EXPECT_THAT(Problems(*store_), IsEmpty());
}

TEST_F(BackupTest, ARestoredConversationLivesItsWholeTimeAgain) {
  AddTurn(TurnOf(1, "talk", "one"));
  BackUp(File("backup"));
  ASSERT_TRUE(Write(Restore{File("backup"), kNow + 30 * kDay}));
  EXPECT_TRUE(Get(1, "talk", kNow + 31 * kDay - 1));
  EXPECT_FALSE(Get(1, "talk", kNow + 31 * kDay));
}

TEST_F(BackupTest, WhatIsNoWholeBackupIsRefusedAndNothingChanges) {
  AddTurn(TurnOf(1, "talk", "one"));
  BackUp(File("backup"));
  std::string bytes;
  {
    std::ifstream file(File("backup"), std::ios::binary);
    bytes.assign(std::istreambuf_iterator<char>(file), {});
  }
  std::ofstream(File("half"), std::ios::binary) << bytes.substr(0, bytes.size() / 2);
  std::ofstream(File("text")) << std::string(10'000, 'x');
  std::ofstream(File("empty"));
  {
    Database later(File("later"), Database::Mode::kReadWrite);
    later.Execute("PRAGMA user_version = 9999");
    Database foreign(File("foreign"), Database::Mode::kReadWrite);
    foreign.Execute("CREATE TABLE t (x); PRAGMA user_version = 2");
  }
  for (const char* name : {"half", "text", "empty", "foreign", "later", "none", "."}) {
    const auto refused = Write(Restore{File(name), kNow});
    ASSERT_FALSE(refused) << name;
    EXPECT_THAT(refused.error().message, HasSubstr(folder_)) << name;
    EXPECT_TRUE(store_->healthy()) << name << ": " << refused.error().message;
    EXPECT_THAT(Questions(*store_), ElementsAre("one"));
  }
  EXPECT_FALSE(std::filesystem::exists(File("restore.partial")));
  EXPECT_TRUE(Write(Restore{File("backup"), kNow}));
}

}  // namespace
}  // namespace requestrouter::storage
