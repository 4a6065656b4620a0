#include <gmock/gmock.h>

#include <fstream>

#include "storage/database.h"
#include "storage/schema.h"
#include "tests/storage/store_fixture.h"

// Databases of every earlier version, with data, as schema_N.sql beside this.
namespace requestrouter::storage {
namespace {

std::string Script(int version) {
  std::ifstream file(std::string(FIXTURE_DIR) + "/schema_" + std::to_string(version) + ".sql");
  return {std::istreambuf_iterator<char>(file), {}};
}

class MigrationTest : public StoreTest, public ::testing::WithParamInterface<int> {
 protected:
  void OpenMigrated(const char* more = "") {
    store_.reset();
    for (const char* suffix : {"", "-wal", "-shm"}) {
      std::filesystem::remove(folder_ + "/requestrouter.db" + suffix);
    }
    {
      Database database(folder_ + "/requestrouter.db", Database::Mode::kReadWrite);
      database.Execute(Script(GetParam()));
      database.Execute(more);
      ASSERT_EQ(database.QueryInteger("PRAGMA user_version"), GetParam());
    }
    Open();
  }
};

INSTANTIATE_TEST_SUITE_P(FromEvery, MigrationTest, ::testing::Range(1, SchemaVersion()));

TEST_P(MigrationTest, KeepsConversationsUsageAndResults) {
  ASSERT_FALSE(Script(GetParam()).empty()) << "a migration needs the earlier schema with data";
  OpenMigrated();
  const auto found = Get(1000, "talk");
  ASSERT_TRUE(found) << found.error().message;
  ASSERT_EQ(found->messages.size(), 4u);
  EXPECT_EQ(found->messages[3].text, "answer to two");
  EXPECT_EQ(found->messages[2].payload, std::string("\x00\xff", 2));
  EXPECT_EQ(found->info.system_prompt, "be brief");
  EXPECT_EQ(found->info.user_id, "ada");
  const auto usage = Usages({});
  ASSERT_EQ(usage->size(), 1u);
  EXPECT_EQ(usage->front().requests, 2);
  EXPECT_EQ(usage->front().cost_nano_usd, 70);
  EXPECT_EQ(GetResult(1000, "done")->reply, "\x85");
  EXPECT_THAT(Problems(*store_), ::testing::IsEmpty());
}

TEST_P(MigrationTest, KeepsWhatIsKnownOfQuotaAndKeys) {
  OpenMigrated();
  const auto recovered = store_->Recover(kNow);
  ASSERT_EQ(recovered->seconds.size(), 1u);
  EXPECT_EQ(recovered->seconds[0].start, kNow - 1'000);
  EXPECT_EQ(recovered->seconds[0].requests, 1);
  EXPECT_EQ(recovered->seconds[0].input_tokens, 5);
  EXPECT_EQ(recovered->seconds[0].counted_tokens, 10) << "by which rule is not known";
  ASSERT_EQ(recovered->unknown.size(), 1u);
  EXPECT_EQ(recovered->unknown[0].opened.request_id, "lost");
  EXPECT_EQ(recovered->unknown[0].opened.counted_tokens, 57);
  EXPECT_EQ(recovered->unknown[0].unknown_until, kNow + Options().unknown_for);
  EXPECT_EQ(recovered->last_attempt_id, 42);
  ASSERT_EQ(recovered->minutes.size(), 1u);
  EXPECT_EQ(recovered->minutes[0].requests, 3);
  EXPECT_EQ(recovered->minutes[0].counted_tokens, 77);
  ASSERT_EQ(recovered->keys.size(), 1u);
  EXPECT_EQ(recovered->keys[0].until, kNow + 60'000);
}

TEST_P(MigrationTest, KeepsAKeyDisabledThatAnOperatorDisabled) {
  const bool as_a_state = GetParam() < 4;
  OpenMigrated(as_a_state ? "INSERT INTO key_states VALUES ('k0', 'disabled', 9223372036854775807,"
                            " 'disabled by operator', 'operator', 0)"
                          : "INSERT INTO key_states VALUES ('k0', 'ready', 0, '', '', 0);"
                            " INSERT INTO disabled_keys VALUES ('k0')");
  const auto recovered = store_->Recover(kNow);
  ASSERT_EQ(recovered->keys.size(), 2u);
  EXPECT_TRUE(recovered->keys[0].disabled_by_operator);
  EXPECT_EQ(recovered->keys[0].state, "ready");
  EXPECT_FALSE(recovered->keys[1].disabled_by_operator);
}

TEST_P(MigrationTest, ItsConversationsAreSweptWhenTheyExpire) {
  OpenMigrated();
  EXPECT_EQ(Write(Sweep{kNow, 100})->count, 0);
  EXPECT_GE(Write(Sweep{kNow + kDay, 100})->count, 2);
  EXPECT_FALSE(Get(1000, "talk"));
}

TEST_P(MigrationTest, ItsBackupsAreRestored) {
  const std::string backup = folder_ + "/old-backup.db";
  {
    Database database(backup, Database::Mode::kReadWrite);
    database.Execute(Script(GetParam()));
  }
  AddTurn(TurnOf(1000, "later", "made after the backup"));
  const auto written = Write(Restore{backup, kNow});
  ASSERT_TRUE(written) << written.error().message;
  EXPECT_EQ(written->count, 2);
  EXPECT_EQ(written->left, 4);
  EXPECT_TRUE(Get(1000, "talk"));
  EXPECT_FALSE(Get(1000, "later"));
}

}  // namespace
}  // namespace requestrouter::storage
