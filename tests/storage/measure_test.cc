#include <sqlite3.h>

#include "tests/storage/faulty_vfs.h"
#include "tests/storage/store_fixture.h"

// What operators are told of the database: see SqliteOptions::on_commit and Store::Measure.
namespace requestrouter::storage {
namespace {

class MeasuredTest : public StoreTest {
 protected:
  MeasuredTest() {
    store_.reset();
    SqliteOptions options = Options();
    options.on_commit = [this](const Commit& commit) { commits_.push_back(commit); };
    store_ = *OpenSqliteStore(options);
  }
  ~MeasuredTest() override { store_.reset(); }

  // The commits so far; the store is closed, so that no other follows.
  const std::vector<Commit>& Commits() {
    store_.reset();
    return commits_;
  }

  FaultyVfs disk_;

 private:
  std::vector<Commit> commits_;  // the storage thread's while the store is open
};

TEST_F(StoreTest, ItsSizeIsThatOfTheFileAndOfTheConversationsInIt) {
  const auto measure = [this] {
    std::promise<Result<Size>> promise;
    store_->Measure([&](Result<Size> size) { promise.set_value(std::move(size)); });
    return promise.get_future().get().value();
  };
  EXPECT_EQ(measure().conversations, 0);
  ASSERT_TRUE(AddTurn(TurnOf(1, "a", std::string(100'000, 'x'))));
  ASSERT_TRUE(AddTurn(TurnOf(1, "a", "again")));
  ASSERT_TRUE(AddTurn(TurnOf(2, "a", "another's")));
  EXPECT_EQ(measure().conversations, 2);
  EXPECT_GT(measure().bytes, 100'000);
}

TEST_F(MeasuredTest, EveryCommitIsToldWithItsWrites) {
  ASSERT_TRUE(AddTurn(TurnOf(1, "a", "one")));
  ASSERT_TRUE(AddTurn(TurnOf(1, "a", "two")));
  ASSERT_EQ(Commits().size(), 2u);
  for (const Commit& commit : Commits()) {
    EXPECT_TRUE(commit.worked);
    EXPECT_EQ(commit.writes, 1u);
    EXPECT_GT(commit.took.count(), 0);
  }
}

TEST_F(MeasuredTest, ACommitThatTheDiskRefusesIsToldAsFailed) {
  disk_.FailFrom(FaultyVfs::Operation::kWrite, 1, SQLITE_FULL);
  ASSERT_FALSE(AddTurn(TurnOf(1, "a", "one")));
  disk_.Heal();
  ASSERT_FALSE(Commits().empty());
  EXPECT_FALSE(Commits().front().worked);
}

}  // namespace
}  // namespace requestrouter::storage
