#include <gmock/gmock.h>

#include <algorithm>
#include <cstring>
#include <fstream>

#include "storage/database.h"
#include "tests/storage/store_fixture.h"

// Files that are not what the last daemon left: cut off, overwritten, deleted, replaced, locked.
namespace requestrouter::storage {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr std::size_t kPage = 4096;
constexpr std::size_t kLogHeader = 32;    // https://sqlite.org/fileformat2.html#walformat
constexpr std::size_t kFrameHeader = 24;  // before each page in the log

std::string Bytes(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void WriteFile(const fs::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

class DamageTest : public StoreTest {
 protected:
  void AddTurns(int count) {
    for (int i = 0; i < count; ++i) {
      ASSERT_TRUE(AddTurn(TurnOf(1, "talk", std::to_string(i) + std::string(600, '.'))));
    }
  }
  fs::path File(const std::string& suffix = "") const {
    return folder_ + "/requestrouter.db" + suffix;
  }
  // A store on files of these contents.
  Result<std::unique_ptr<Store>> OpenOn(const std::string& database, const std::string& log) {
    const fs::path place = folder_ + "/damaged";
    fs::remove_all(place);
    fs::create_directories(place);
    WriteFile(place / "requestrouter.db", database);
    if (!log.empty()) WriteFile(place / "requestrouter.db-wal", log);
    SqliteOptions options = Options();
    options.directory = place;
    return OpenSqliteStore(options);
  }
};

TEST_F(DamageTest, ALogThatIsCutOffAnywhereLeavesTheFirstTurnsInOrder) {
  // A reader of what was before keeps all turns in the log, whenever the writer empties it.
  Database earlier(File(), Database::Mode::kReadOnly);
  const ReadTransaction reading(earlier);
  earlier.QueryInteger("SELECT count(*) FROM messages");
  AddTurns(12);
  const std::vector<std::string> all = Questions(*store_);
  const std::string database = Bytes(File());
  const std::string log = Bytes(File("-wal"));
  ASSERT_GT(log.size(), 12 * kPage);
  std::size_t most = 0;
  for (std::size_t cut = 0; cut <= log.size();) {
    const auto store = OpenOn(database, log.substr(0, cut));
    ASSERT_TRUE(store) << store.error().message;
    const std::vector<std::string> found = Questions(**store);
    EXPECT_GE(found.size(), most) << "a longer log holds no fewer turns";
    EXPECT_TRUE(std::equal(found.begin(), found.end(), all.begin())) << "cut at " << cut;
    EXPECT_THAT(Problems(**store, CheckDepth::kQuick), IsEmpty());
    most = found.size();
    cut = cut < kLogHeader ? kLogHeader : cut + (kFrameHeader + kPage) / 2;  // and inside of frames
  }
  EXPECT_EQ(most, all.size());
}

// Refused at the start, or told by the check: never taken for whole, and never the end of routerd.
TEST_F(DamageTest, ADatabaseThatIsCutOffAtAnyPageIsNoticed) {
  AddTurns(40);
  store_.reset();
  const std::string database = Bytes(File());
  ASSERT_GT(database.size(), 20 * kPage);
  for (std::size_t cut = kPage; cut < database.size(); cut += kPage) {
    const auto store = OpenOn(database.substr(0, cut), "");
    if (!store) {
      EXPECT_EQ(store.error().code, ErrorCode::kCorrupt) << store.error().message;
      EXPECT_THAT(store.error().message, HasSubstr("restore"));
      continue;
    }
    EXPECT_THAT(Problems(**store), Not(IsEmpty())) << "cut at " << cut;
    EXPECT_FALSE((*store)->healthy());
  }
  Open();
}

// What was to be added to them stays until they are whole.
TEST_F(DamageTest, DamagedCountersAreNoReasonNotToStart) {
  store_.reset();
  std::size_t page = 0;
  {
    Database database(File(), Database::Mode::kReadWrite);
    database.Execute(
        "INSERT INTO pending_counts (start, model, requests, input_tokens, output_tokens,"
        " attempt_ids, quota_group) VALUES (1, 'flash', 1, 2, 3, x'0900000000000000', 'group');"
        "INSERT INTO pending_counts (start, model, requests, input_tokens, output_tokens)"
        " VALUES (1, 'flash', 1, 2, 3)");
    page = static_cast<std::size_t>(
        database.QueryInteger("SELECT rootpage FROM sqlite_schema WHERE name = 'usage'"));
  }
  std::string bytes = Bytes(File());
  std::memset(bytes.data() + (page - 1) * kPage, 0x5a, kPage);
  {
    const auto store = OpenOn(bytes, "");
    ASSERT_TRUE(store) << store.error().message;
    EXPECT_EQ((*store)->Recover(kNow)->last_attempt_id, 9);
    EXPECT_THAT(Problems(**store), Not(IsEmpty()));
  }
  Database database(folder_ + "/damaged/requestrouter.db", Database::Mode::kReadOnly);
  EXPECT_EQ(database.QueryInteger("SELECT count(*) FROM pending_counts"), 2);
  EXPECT_EQ(database.QueryInteger("SELECT count(*) FROM quota_seconds"), 0);
}

TEST_F(DamageTest, APageThatIsOverwrittenIsNoticed) {
  AddTurns(40);
  store_.reset();
  const std::string whole = Bytes(File());
  for (std::size_t page = 0; page < whole.size(); page += kPage) {
    std::string database = whole;
    std::memset(database.data() + page, 0x5a, kPage);
    const auto store = OpenOn(database, "");
    if (!store) {
      EXPECT_THAT(store.error().message, HasSubstr("requestrouter.db")) << "page at " << page;
      continue;
    }
    Questions(**store);
    (*store)->Submit(Sweep{kNow, 10}, Durability::kFull, [](auto) {});
    EXPECT_THAT(Problems(**store), Not(IsEmpty())) << "page at " << page;
    EXPECT_FALSE((*store)->healthy());
  }
  Open();
}

TEST_F(DamageTest, AConversationOnADamagedPageIsRefusedAndOthersAreServed) {
  AddTurns(60);
  AddTurn(TurnOf(1, "other", "hello"));
  store_.reset();
  const std::string whole = Bytes(File());
  int refused = 0;
  int served = 0;
  for (std::size_t page = 0; page < whole.size(); page += kPage) {
    const std::size_t text = whole.find(std::string(600, '.'), page);
    if (text >= page + kPage) continue;
    std::string database = whole;
    std::memset(database.data() + page, 0x5a, kPage);
    const auto store = OpenOn(database, "");
    ASSERT_TRUE(store) << store.error().message;
    const auto found = Get(**store, 1, "talk");
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().code, ErrorCode::kCorrupt);
    ++refused;
    if (Get(**store, 1, "other")) ++served;
  }
  EXPECT_GT(served, refused / 2) << "all but those that share a page with it";
  Open();
}

TEST_F(DamageTest, ACheckFindsMessagesThatAreMissingAndThoseOfNoConversation) {
  AddTurn(TurnOf(1, "talk", "one"));
  AddTurn(TurnOf(1, "lost", "two"));
  EXPECT_THAT(Problems(*store_), IsEmpty());
  {
    Database database(folder_ + "/requestrouter.db", Database::Mode::kReadWrite);
    database.Execute(
        "DELETE FROM messages WHERE conversation = 1 AND seq = 0;"
        "DROP TRIGGER conversation_deleted; DELETE FROM conversations WHERE conv_id = 'lost'");
  }
  EXPECT_THAT(Problems(*store_),
              ElementsAre("2 messages are of no conversation", "messages are missing in talk"));
}

TEST_F(DamageTest, FilesThatAreDeletedUnderTheStoreAreWrittenAgain) {
  AddTurns(3);
  Reopen();  // a log that holds only a part of the pages
  const std::vector<std::vector<std::string>> cases = {
      {""}, {"-wal"}, {"", "-wal", "-shm"}, {"", "-wal"}};
  for (const std::vector<std::string>& deleted : cases) {
    for (const std::string& suffix : deleted) fs::remove(File(suffix));
    AddTurns(1);
    const std::vector<std::string> before = Questions(*store_);
    const std::string database = Bytes(File());
    const std::string log = Bytes(File("-wal"));
    const auto after_kill = OpenOn(database, log);
    ASSERT_TRUE(after_kill) << after_kill.error().message;
    EXPECT_EQ(Questions(**after_kill), before);
    EXPECT_THAT(Problems(**after_kill), IsEmpty());
  }
  Reopen();
  EXPECT_EQ(Questions(*store_).size(), 7u);
}

TEST_F(DamageTest, ACopyOfDeletedFilesThatWasCutShortByAKillIsFoundAtTheNextStart) {
  AddTurns(3);
  ASSERT_TRUE(BackUp(folder_ + "/copy"));
  const std::string stale_log = Bytes(File("-wal"));
  store_.reset();
  fs::remove(File());
  fs::rename(folder_ + "/copy", File(".rescue"));
  WriteFile(File("-wal"), stale_log);
  Open();
  EXPECT_EQ(Questions(*store_).size(), 3u);
  EXPECT_THAT(Problems(*store_), IsEmpty());
  EXPECT_FALSE(fs::exists(File(".rescue")));
}

TEST_F(DamageTest, TheFolderThatIsDeletedUnderTheStoreIsMadeAgain) {
  AddTurns(3);
  fs::remove_all(folder_);
  AddTurns(1);
  Reopen();
  EXPECT_EQ(Questions(*store_).size(), 4u);
}

TEST_F(DamageTest, AFileThatSomebodyPutInThePlaceOfTheDatabaseStopsWritesUntilItIsMovedAway) {
  AddTurns(3);
  fs::rename(File(), File(".mine"));
  WriteFile(File(), "something else");
  const auto refused = AddTurn(TurnOf(1, "talk", "lost?"));
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("move that one away"));
  EXPECT_FALSE(store_->healthy());
  EXPECT_EQ(Bytes(File()), "something else");
  fs::remove(File());
  AddTurns(1);
  EXPECT_TRUE(store_->healthy());
  Reopen();
  EXPECT_EQ(Questions(*store_).size(), 4u);
}

TEST_F(DamageTest, AProcessThatLocksTheDatabaseIsNamedAsTheTroubleUntilItLetsGo) {
  AddTurns(1);
  {
    Database other(File(), Database::Mode::kReadWrite);
    const Transaction held(other);
    const auto refused = AddTurn(TurnOf(1, "talk", "now"));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kLocked);
    EXPECT_THAT(refused.error().message, HasSubstr("another process"));
    EXPECT_EQ(Questions(*store_).size(), 1u) << "reading goes on";
  }
  AddTurns(1);
  EXPECT_TRUE(store_->healthy());
}

// Everything was written at kNow, and now it is a year earlier.
TEST_F(DamageTest, AClockThatWasSetBackLeavesNothingThatLastsForEver) {
  AddTurns(1);
  AttemptOpened attempt;
  attempt.attempt_id = 1;
  attempt.quota_group = "group";
  attempt.at = kNow;
  ASSERT_TRUE(store_->OpenAttempt(attempt));
  attempt.attempt_id = 2;
  ASSERT_TRUE(store_->OpenAttempt(attempt));
  ASSERT_TRUE(Write(AttemptClosed{2, true, 5, 5}));
  store_.reset();
  const Millis earlier = kNow - 365 * kDay;
  SqliteOptions options = Options();
  options.now = earlier;
  store_ = std::move(*OpenSqliteStore(options));
  const auto recovered = store_->Recover(earlier);
  ASSERT_EQ(recovered->unknown.size(), 1u);
  EXPECT_EQ(recovered->unknown[0].opened.at, earlier);
  ASSERT_EQ(recovered->seconds.size(), 1u);
  EXPECT_EQ(recovered->seconds[0].start, earlier);
  EXPECT_EQ(recovered->seconds[0].requests, 1);
  ASSERT_EQ(recovered->minutes.size(), 1u) << "no provider counts a day of next year";
  EXPECT_EQ(recovered->minutes[0].start, earlier);
  EXPECT_EQ(recovered->minutes[0].requests, 1);
  EXPECT_TRUE(Get(1, "talk", earlier));
  EXPECT_TRUE(Get(1, "talk", earlier + kDay - 1));
  EXPECT_FALSE(Get(1, "talk", earlier + kDay));
}

TEST_F(DamageTest, ACleanStopAndAnUncleanOneAreToldApart) {
  EXPECT_FALSE(store_->Recover(kNow)->unclean) << "there was none before";
  Reopen();
  EXPECT_FALSE(store_->Recover(kNow)->unclean);
  const auto copied = OpenOn(Bytes(File()), Bytes(File("-wal")));
  const auto recovered = (*copied)->Recover(kNow);
  EXPECT_TRUE(recovered->unclean);
  EXPECT_FALSE(recovered->other_boot);
  EXPECT_FALSE(recovered->attempts_lost());
}

TEST_F(DamageTest, APowerCutIsSeenByAnotherBoot) {
  store_.reset();
  {
    Database database(File(), Database::Mode::kReadWrite);
    database.Execute("UPDATE session SET boot_id = 'another', clean = 0");
  }
  Open();
  EXPECT_TRUE(store_->Recover(kNow)->attempts_lost());
}

}  // namespace
}  // namespace requestrouter::storage
