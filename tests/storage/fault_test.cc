#include <gmock/gmock.h>
#include <sqlite3.h>

#include <chrono>
#include <thread>

#include "tests/storage/faulty_vfs.h"
#include "tests/storage/store_fixture.h"

// The disk fails under the open database; see the table in storage/README.md.
namespace requestrouter::storage {
namespace {

using Operation = FaultyVfs::Operation;
using ::testing::IsEmpty;

struct Trouble {
  std::string name;
  Operation operation;
  int sqlite_code;
  ErrorCode code;

  friend void PrintTo(const Trouble& trouble, std::ostream* out) { *out << trouble.name; }
};

class FaultTest : public StoreTest {
 protected:
  FaultTest() {
    store_.reset();  // opened before the disk was a faulty one
    Open();
  }
  ~FaultTest() override { store_.reset(); }

  bool AddNumbered(int number) {
    return AddTurn(TurnOf(1, "talk", std::to_string(number))).has_value();
  }
  // Written, and not synced: what a failing sync loses of the log lies before what follows.
  void WriteUnsynced(int first) {
    for (int i = first + 1; i <= first + 20; ++i) {
      std::promise<void> written;
      store_->Submit(KeyState{"k" + std::to_string(i), "cooling", kNow, "429", "", 1},
                     Durability::kProcess, [&](auto) { written.set_value(); });
      written.get_future().wait();
    }
  }
  // Waits for the store to find out by itself that it can write again: it tells nobody, so it is
  // asked again and again.
  void AwaitHealth() {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!store_->healthy() && std::chrono::steady_clock::now() < end) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    ASSERT_TRUE(store_->healthy());
  }
  FaultyVfs disk_;
};

class DiskTrouble : public FaultTest, public ::testing::WithParamInterface<Trouble> {};

INSTANTIATE_TEST_SUITE_P(
    Every, DiskTrouble,
    ::testing::Values(Trouble{"Full", Operation::kWrite, SQLITE_FULL, ErrorCode::kFull},
                      Trouble{"ReadOnly", Operation::kWrite, SQLITE_READONLY, ErrorCode::kReadOnly},
                      Trouble{"WriteError", Operation::kWrite, SQLITE_IOERR_WRITE, ErrorCode::kIo},
                      Trouble{"SyncError", Operation::kSync, SQLITE_IOERR_FSYNC, ErrorCode::kIo}),
    [](const auto& trouble) { return trouble.param.name; });

// At each of the first writes (or syncs) of a turn in turn: its frames, their header, the commit.
TEST_P(DiskTrouble, IsToldAndLosesNothingAndIsOverWithoutARestart) {
  const Trouble& trouble = GetParam();
  std::vector<std::string> acknowledged;
  int number = 0;
  for (int nth = 1; nth <= 5; ++nth) {
    disk_.FailFrom(trouble.operation, nth, trouble.sqlite_code);
    while (AddNumbered(number)) acknowledged.push_back(std::to_string(number++));
    ++number;
    EXPECT_FALSE(store_->healthy());
    const auto refused = AddTurn(TurnOf(1, "talk", "refused"));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, trouble.code);
    EXPECT_NE(refused.error().message.find(folder_), std::string::npos) << "names the file";
    EXPECT_EQ(Questions(*store_), acknowledged) << "reading goes on";
    disk_.Heal();
    AwaitHealth();
    ASSERT_TRUE(AddNumbered(number));
    acknowledged.push_back(std::to_string(number++));
  }
  Reopen();
  EXPECT_EQ(Questions(*store_), acknowledged);
  EXPECT_THAT(Problems(*store_), IsEmpty());
}

TEST_P(DiskTrouble, IsFollowedByAPowerCutAndStillLosesNothing) {
  const Trouble& trouble = GetParam();
  std::mt19937 random(7);
  std::vector<std::string> acknowledged;
  for (int round = 0; round < 12; ++round) {
    WriteUnsynced(20 * round);
    disk_.FailFrom(trouble.operation, 1 + round % 2, trouble.sqlite_code);
    int number = 100 * round;
    while (AddNumbered(number)) acknowledged.push_back(std::to_string(number++));
    disk_.Heal();
    if (round % 3 == 0) {
      ASSERT_TRUE(AddNumbered(++number)) << "without waiting for the store to find out by itself";
      acknowledged.push_back(std::to_string(number));
    } else if (round % 3 == 1) {
      WriteUnsynced(1'000 + 20 * round);  // without a sync of its own
    } else {
      AwaitHealth();
    }
    const std::string cut = folder_ + "/cut" + std::to_string(round);
    disk_.CutPower(cut, random);
    SqliteOptions options = Options();
    options.directory = cut;
    const auto after = OpenSqliteStore(options);
    ASSERT_TRUE(after) << after.error().message;
    EXPECT_EQ(Questions(**after), acknowledged) << "round " << round;
    EXPECT_THAT(Problems(**after), IsEmpty());
  }
}

// How many of 40 power cuts, at random moments among turns that are acknowledged, lose one.
int PowerCutsThatLose(Durability durability, const std::string& folder) {
  FaultyVfs disk;
  std::mt19937 random(11);
  int losing = 0;
  for (int round = 0; round < 40; ++round) {
    SqliteOptions options;
    options.directory = folder + "/round" + std::to_string(round);
    options.durability = durability;
    options.now = kNow;
    auto store = OpenSqliteStore(options);
    std::vector<std::string> acknowledged;
    for (auto turns = random() % 20 + 1; turns > 0; --turns) {
      std::promise<bool> stored;
      Finish finish;
      acknowledged.push_back(std::to_string(turns));
      finish.turn = StoreTest::TurnOf(1, "talk", acknowledged.back());
      finish.usage.push_back({1, "coder", "", "k1", "flash", kNow, 1, 0, 10, 5, 0, 7});
      (*store)->Submit(std::make_shared<const Finish>(finish), Durability::kFull,
                       [&](auto done) { stored.set_value(!!done); });
      EXPECT_TRUE(stored.get_future().get());
    }
    options.directory += "-cut";
    disk.CutPower(options.directory, random);
    const auto after = OpenSqliteStore(options);
    EXPECT_TRUE(after) << after.error().message;
    EXPECT_THAT(StoreTest::Problems(**after), IsEmpty());
    const auto turns = StoreTest::Questions(**after);
    EXPECT_EQ(StoreTest::UsedRequests(**after), turns.size());
    losing += turns == acknowledged ? 0 : 1;
  }
  return losing;
}

TEST_F(StoreTest, NoPowerCutLosesAnAcknowledgedTurn) {
  EXPECT_EQ(PowerCutsThatLose(Durability::kFull, folder_), 0);
}

TEST_F(StoreTest, WithDurabilityProcessAPowerCutMayLoseTurnsAndDamagesNothing) {
  EXPECT_GT(PowerCutsThatLose(Durability::kProcess, folder_), 0);
}

TEST_F(FaultTest, AFullDiskLetsTheStoreCloseAndTheNextOneSeesThatItWasNotClosedCleanly) {
  ASSERT_TRUE(AddNumbered(1));
  disk_.FailFrom(Operation::kWrite, 1, SQLITE_FULL);
  store_.reset();
  disk_.Heal();
  Open();
  EXPECT_EQ(Questions(*store_), std::vector<std::string>{"1"});
  EXPECT_TRUE(store_->Recover(kNow)->unclean);
}

}  // namespace
}  // namespace requestrouter::storage
