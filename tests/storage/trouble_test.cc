#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdio>

#include "storage/database.h"
#include "tests/storage/store_fixture.h"

namespace requestrouter::storage {
namespace {

TEST_F(StoreTest, EveryFileIsForItsOwnerAlone) {
  AddTurn(TurnOf(1, "talk", "one"));
  for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
    struct stat status {};
    ASSERT_EQ(stat(entry.path().c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 077, 0u) << entry.path();
  }
}

TEST_F(StoreTest, ASecondStoreInTheSameFolderIsRefusedWithTheRemedy) {
  const auto second = OpenSqliteStore({folder_});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::kLocked);
  EXPECT_NE(second.error().message.find("--state-dir"), std::string::npos);
}

TEST_F(StoreTest, AFolderThatCannotBeMadeIsRefusedWithTheRemedy) {
  const auto refused = OpenSqliteStore({"/proc/none"});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kReadOnly);
  EXPECT_NE(refused.error().message.find("--state-dir"), std::string::npos);
}

TEST_F(StoreTest, ADatabaseOfALaterVersionIsRefusedAndLeftAsItIs) {
  store_.reset();
  {
    Database database(folder_ + "/requestrouter.db", Database::Mode::kReadWrite);
    database.Execute("PRAGMA user_version = 9999");
  }
  const auto refused = OpenSqliteStore({folder_});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kNewerSchema);
  EXPECT_NE(refused.error().message.find("later version"), std::string::npos);
  Database database(folder_ + "/requestrouter.db", Database::Mode::kReadWrite);
  EXPECT_EQ(database.QueryInteger("PRAGMA user_version"), 9999);
}

TEST_F(StoreTest, AFileThatIsNoDatabaseIsRefusedWithTheRemedy) {
  store_.reset();
  std::FILE* file = std::fopen((folder_ + "/requestrouter.db").c_str(), "w");
  for (int i = 0; i < 1000; ++i) std::fputs("this is no database ", file);
  std::fclose(file);
  const auto refused = OpenSqliteStore({folder_});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kCorrupt);
  EXPECT_NE(refused.error().message.find("restore"), std::string::npos);
}

// A database that may not grow is as good as a full disk: SQLite reports the same SQLITE_FULL.
TEST_F(StoreTest, AFullDiskIsReportedAsOneWithTheRemedy) {
  store_.reset();
  Database database(folder_ + "/requestrouter.db", Database::Mode::kReadWrite);
  const std::int64_t pages = database.QueryInteger("PRAGMA page_count");
  database.Execute("PRAGMA max_page_count = " + std::to_string(pages));
  try {
    database.Execute(
        "CREATE TABLE filler (x TEXT) STRICT;"
        "INSERT INTO filler VALUES (hex(zeroblob(1000000)))");
    FAIL() << "a megabyte must not fit";
  } catch (const DatabaseError& error) {
    EXPECT_EQ(error.error().code, ErrorCode::kFull);
    EXPECT_NE(error.error().message.find("free space"), std::string::npos);
  }
}

// A trigger stands for whatever the database refuses of one write; the others are written.
TEST_F(StoreTest, AWriteThatCannotBeDoesNotDisturbTheOthersOfItsGroup) {
  {
    Database database(folder_ + "/requestrouter.db", Database::Mode::kReadWrite);
    database.Execute(
        "CREATE TRIGGER refuse BEFORE INSERT ON results BEGIN SELECT RAISE(ABORT, 'no'); END");
  }
  AttemptOpened attempt;
  attempt.attempt_id = 1;
  attempt.at = kNow;
  ASSERT_TRUE(store_->OpenAttempt(attempt));
  Finish bad;
  bad.attempt = AttemptClosed{1, true, 5, 5};
  bad.result = StoredResult{1, 1, "r", "", "digest", "reply", kNow};
  std::atomic<int> refused{0};
  for (int i = 0; i < 10; ++i) {
    Finish finish;
    finish.turn = TurnOf(1, "talk", std::to_string(i));
    store_->Submit(std::make_shared<const Finish>(finish), Durability::kFull,
                   [&](auto written) { EXPECT_TRUE(written); });
    store_->Submit(KeyState{"k" + std::to_string(i), "ready", 0, "", "", 0}, Durability::kProcess,
                   [](auto) {});
    store_->Submit(std::make_shared<const Finish>(bad), Durability::kProcess,
                   [&](auto written) { refused += !written; });
  }
  Reopen();
  EXPECT_EQ(refused, 10);
  EXPECT_EQ(Questions(*store_).size(), 10u);
  const auto recovered = store_->Recover(kNow);
  EXPECT_EQ(recovered->keys.size(), 10u);
  EXPECT_EQ(recovered->unknown.size(), 1u) << "its end was refused";
  EXPECT_TRUE(recovered->seconds.empty());
}

TEST_F(StoreTest, EverythingSubmittedIsAnsweredWhenTheStoreCloses) {
  int answered = 0;
  for (int i = 0; i < 100; ++i) {
    Finish finish;
    finish.turn = TurnOf(1, "talk", std::to_string(i));
    store_->Submit(std::make_shared<const Finish>(finish), Durability::kFull,
                   [&](auto written) { answered += written ? 1 : 0; });
  }
  store_.reset();
  EXPECT_EQ(answered, 100);
  Open();
  EXPECT_EQ(Get(1, "talk")->messages.size(), 200u);
}

// Writes turns without end and says over a pipe which ones were acknowledged.
[[noreturn]] void WriteUntilKilled(const std::string& folder, int acknowledgements, int round) {
  auto store = OpenSqliteStore({folder});
  if (!store) _exit(1);
  for (int i = 0;; ++i) {
    Finish finish;
    finish.turn = Turn{};
    finish.turn->uid = 1;
    finish.turn->conv_id = "round" + std::to_string(round);
    finish.turn->at = kNow;
    finish.turn->expires_at = kNow + kDay;
    finish.turn->messages = {{0, "user", std::to_string(i), "", kNow, 0, "", ""}};
    std::promise<void> done;
    (*store)->Submit(std::make_shared<const Finish>(finish), Durability::kFull, [&](auto written) {
      if (written) {
        [[maybe_unused]] const ssize_t told = write(acknowledgements, &i, sizeof i);
      }
      done.set_value();
    });
    done.get_future().get();
  }
}

TEST_F(StoreTest, NoAcknowledgedTurnIsLostOrDoubledByKill9) {
  store_.reset();
  for (int round = 0; round < 5; ++round) {
    int pipe_fds[2];
    ASSERT_EQ(pipe(pipe_fds), 0);
    const pid_t child = fork();
    if (child == 0) WriteUntilKilled(folder_, pipe_fds[1], round);
    close(pipe_fds[1]);
    int last = -1;
    while (last < 20 + 7 * round) {
      ASSERT_EQ(read(pipe_fds[0], &last, sizeof last), static_cast<ssize_t>(sizeof last));
    }
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    while (read(pipe_fds[0], &last, sizeof last) == static_cast<ssize_t>(sizeof last)) {
    }
    close(pipe_fds[0]);
    Open();
    const auto found = Get(1, "round" + std::to_string(round));
    ASSERT_TRUE(found);
    ASSERT_GT(static_cast<int>(found->messages.size()), last);
    ASSERT_LE(static_cast<int>(found->messages.size()), last + 2) << "one may be unacknowledged";
    for (std::size_t i = 0; i < found->messages.size(); ++i) {
      EXPECT_EQ(found->messages[i].text, std::to_string(i));
    }
    store_.reset();
  }
  Open();
}

}  // namespace
}  // namespace requestrouter::storage
