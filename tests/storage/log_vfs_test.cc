#include "storage/log_vfs.h"

#include <gtest/gtest.h>

#include <string>

#include "storage/database.h"
#include "tests/storage/faulty_vfs.h"
#include "tests/support/temp_dir.h"

// What a commit appends to the log is gathered, and nobody but the system can tell.
namespace requestrouter::storage {
namespace {

using Operation = FaultyVfs::Operation;

class LogVfsTest : public ::testing::Test {
 protected:
  LogVfsTest() {
    database_.Execute("CREATE TABLE words (id INTEGER PRIMARY KEY, word TEXT)");
    Add(1);
  }
  // Pages of 4 KiB, most of them.
  void Add(int count) {
    database_.Execute("WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < " +
                      std::to_string(count) +
                      ") INSERT INTO words (word) SELECT printf('%.3500c', 'w') || n FROM n");
  }
  static std::int64_t Count(Database& database) {
    return database.QueryInteger("SELECT count(*) FROM words WHERE word LIKE 'wwww%'");
  }
  // As another connection sees them.
  std::int64_t CountElsewhere() {
    Database other(path_, Database::Mode::kReadOnly);
    return Count(other);
  }

  FaultyVfs disk_;
  support::TempDir folder_;
  const std::string path_ = folder_.File("words.db");
  Database database_{path_, Database::Mode::kReadWrite};
};

TEST_F(LogVfsTest, ACommitOfManyPagesIsOneWrite) {
  disk_.FailFrom(Operation::kWrite, 2, SQLITE_IOERR_WRITE);
  Add(20);
  EXPECT_EQ(CountElsewhere(), 21);
}

TEST_F(LogVfsTest, ACommitThatCannotBeWrittenFailsAndLeavesNothing) {
  disk_.FailFrom(Operation::kWrite, 1, SQLITE_FULL);
  EXPECT_THROW(Add(20), DatabaseError);
  EXPECT_EQ(Count(database_), 1);
  disk_.Heal();
  EXPECT_EQ(CountElsewhere(), 1);
  Add(3);
  EXPECT_EQ(CountElsewhere(), 4);
}

TEST_F(LogVfsTest, ACommitLargerThanOneWriteIsWhole) {
  Add(200);
  EXPECT_EQ(CountElsewhere(), 201);
}

TEST_F(LogVfsTest, ACommitWithoutASyncIsSeenByOthersAtOnce) {
  database_.SetDurability(Durability::kProcess);
  Add(20);
  EXPECT_EQ(CountElsewhere(), 21);
  database_.SetDurability(Durability::kFull);
  Add(20);
  EXPECT_EQ(CountElsewhere(), 41);
}

// SQLite writes pages to the log before the commit when its cache is full, reads them again, and
// may write them a second time to the same place.
TEST_F(LogVfsTest, ATransactionLargerThanTheCacheReadsWhatItHasWritten) {
  database_.Execute("PRAGMA cache_size = 10");
  {
    Transaction transaction(database_);
    Add(100);
    database_.Execute("UPDATE words SET word = word || 'x'");
    EXPECT_EQ(Count(database_), 101);
    EXPECT_EQ(CountElsewhere(), 1);
    transaction.Commit();
  }
  EXPECT_EQ(CountElsewhere(), 101);
}

TEST_F(LogVfsTest, WhatIsRolledBackIsNotThereWhateverFollows) {
  database_.Execute("PRAGMA cache_size = 10");
  {
    const Transaction transaction(database_);
    Add(100);
  }
  EXPECT_EQ(CountElsewhere(), 1);
  Add(2);
  EXPECT_EQ(CountElsewhere(), 3);
}

TEST_F(LogVfsTest, TheLogIsCopiedBackWhole) {
  Add(20);
  database_.Execute("PRAGMA wal_checkpoint(TRUNCATE)");
  Add(20);
  EXPECT_EQ(CountElsewhere(), 41);
}

TEST_F(LogVfsTest, ConnectionsWithOneEachDoNotMixTheirLogs) {
  Database other(folder_.File("others.db"), Database::Mode::kReadWrite);
  other.Execute("CREATE TABLE words (word TEXT)");
  Add(1);
  Transaction here(database_);
  Transaction there(other);
  Add(5);
  other.Execute("INSERT INTO words VALUES ('wwww')");
  here.Commit();
  there.Commit();
  EXPECT_EQ(Count(database_), 7);
  EXPECT_EQ(Count(other), 1);
}

}  // namespace
}  // namespace requestrouter::storage
