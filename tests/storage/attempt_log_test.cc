#include "storage/attempt_log.h"

#include <gmock/gmock.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <fstream>

#include "storage/database.h"
#include "tests/storage/store_fixture.h"

// The file of the attempts under way: what the next daemon makes of it, whatever happened to it.
namespace requestrouter::storage {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr AttemptLog::Identity kIdentity{77, 5};

AttemptOpened Attempt(std::int64_t id) {
  AttemptOpened opened;
  opened.attempt_id = id;
  opened.uid = 1000;
  opened.request_id = "request-" + std::to_string(id);
  opened.body_digest = std::string("\0\xff", 2);
  opened.conv_id = "talk";
  opened.key_id = "k1";
  opened.quota_group = "group";
  opened.model = "flash";
  opened.at = kNow + id;
  opened.input_tokens = 100;
  opened.output_tokens = 50;
  opened.counted_tokens = 600;
  return opened;
}

std::vector<std::int64_t> Ids(const std::string& path,
                              const AttemptLog::Identity& identity = kIdentity) {
  std::vector<std::int64_t> ids;
  for (const AttemptOpened& opened : AttemptLog::Read(path, identity)) {
    ids.push_back(opened.attempt_id);
  }
  return ids;
}

std::string Bytes(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void WriteFile(const fs::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

// Writes beyond `bytes` of any file fail while one of these lives: as on a full disk, the last one
// is written in part.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(std::size_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  void (*handler_)(int);
  rlimit before_{};
};

class AttemptLogTest : public ::testing::Test {
 protected:
  AttemptLogTest() {
    std::string pattern = (fs::temp_directory_path() / "rr-attempts-XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
    path_ = folder_ + "/attempts";
    log_.emplace(path_, kIdentity);
  }
  ~AttemptLogTest() override { fs::remove_all(folder_); }

  void OpenAll(std::int64_t first, std::int64_t last) {
    for (std::int64_t id = first; id <= last; ++id) ASSERT_TRUE(log_->Open(Attempt(id)));
  }
  void Close(std::int64_t id) { log_->Close({{id}}); }
  // The bytes that are written, without those that are only reserved.
  std::string Written() const {
    std::string bytes = Bytes(path_);
    return bytes.substr(0, bytes.find_last_not_of('\0') + 1);
  }

  std::string folder_;
  std::string path_;
  std::optional<AttemptLog> log_;
};

TEST_F(AttemptLogTest, WhatWasOpenedIsReadInOrderWithEveryField) {
  OpenAll(1, 2);
  const std::vector<AttemptOpened> found = AttemptLog::Read(path_, kIdentity);
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].attempt_id, 1);
  EXPECT_EQ(found[1].uid, 1000u);
  EXPECT_EQ(found[1].request_id, "request-2");
  EXPECT_EQ(found[1].body_digest, std::string("\0\xff", 2));
  EXPECT_EQ(found[1].conv_id, "talk");
  EXPECT_EQ(found[1].key_id, "k1");
  EXPECT_EQ(found[1].quota_group, "group");
  EXPECT_EQ(found[1].model, "flash");
  EXPECT_EQ(found[1].at, kNow + 2);
  EXPECT_EQ(found[1].input_tokens, 100);
  EXPECT_EQ(found[1].output_tokens, 50);
  EXPECT_EQ(found[1].counted_tokens, 600);
}

// As the first version wrote it: kIdentity, then Attempt(1).
constexpr char kVersion1[] =
    "\x52\x41\x74\x74\x4c\x6f\x67\x31\x4d\x00\x00\x00\x00\x00\x00\x00\x05\x00\x00\x00\x00\x00"
    "\x00\x00\x2f\x8c\x37\x1b\x2b\x5d\xb8\xee\xde\x3a\xd6\x0d\xf0\xad\x18\x34\x5b\x00\x00\x00"
    "\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\xe8\x03\x00\x00\x00\x00\x00\x00\x01\x50"
    "\x5c\x18\xa3\x01\x00\x00\x64\x00\x00\x00\x00\x00\x00\x00\x32\x00\x00\x00\x00\x00\x00\x00"
    "\x09\x00\x00\x00\x72\x65\x71\x75\x65\x73\x74\x2d\x31\x02\x00\x00\x00\x00\xff\x04\x00\x00"
    "\x00\x74\x61\x6c\x6b\x02\x00\x00\x00\x6b\x31\x05\x00\x00\x00\x67\x72\x6f\x75\x70\x05\x00"
    "\x00\x00\x66\x6c\x61\x73\x68";

TEST_F(AttemptLogTest, OneOfTheFirstVersionIsReadAndAllItsTokensCount) {
  WriteFile(folder_ + "/old", {kVersion1, sizeof kVersion1 - 1});
  const std::vector<AttemptOpened> found = AttemptLog::Read(folder_ + "/old", kIdentity);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].attempt_id, 1);
  EXPECT_EQ(found[0].uid, 1000u);
  EXPECT_EQ(found[0].at, kNow + 1);
  EXPECT_EQ(found[0].request_id, "request-1");
  EXPECT_EQ(found[0].model, "flash");
  EXPECT_EQ(found[0].input_tokens, 100);
  EXPECT_EQ(found[0].counted_tokens, 150);
}

TEST_F(AttemptLogTest, IsForItsOwnerAlone) {
  struct stat status {};
  ASSERT_EQ(stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 077, 0u);
}

TEST_F(AttemptLogTest, AFileThatIsCutOffAtAnyByteHoldsTheRecordsThatAreWhole) {
  OpenAll(1, 4);
  const std::string whole = Written();
  const std::string cut_path = folder_ + "/cut";
  std::size_t most = 0;
  for (std::size_t cut = 0; cut <= whole.size(); ++cut) {
    for (const std::string& rest : {std::string(), std::string(64, '\0')}) {
      WriteFile(cut_path, whole.substr(0, cut) + rest);
      const std::vector<std::int64_t> ids = Ids(cut_path);
      ASSERT_GE(ids.size(), most) << "cut at " << cut;
      most = ids.size();
      for (std::size_t i = 0; i < ids.size(); ++i) ASSERT_EQ(ids[i], static_cast<int>(i) + 1);
    }
  }
  EXPECT_EQ(most, 4u);
}

TEST_F(AttemptLogTest, AByteThatIsNotWhatWasWrittenEndsTheReadingAtItsRecord) {
  OpenAll(1, 3);
  const std::string whole = Written();
  for (std::size_t at = 0; at < whole.size(); ++at) {
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x40);
    WriteFile(folder_ + "/damaged", damaged);
    const std::vector<std::int64_t> ids = Ids(folder_ + "/damaged");
    ASSERT_LT(ids.size(), 3u) << "byte " << at;
    for (std::size_t i = 0; i < ids.size(); ++i) ASSERT_EQ(ids[i], static_cast<int>(i) + 1);
  }
}

TEST_F(AttemptLogTest, AFileOfAnotherDatabaseOrOfAnEarlierGenerationHoldsNothing) {
  OpenAll(1, 1);
  EXPECT_THAT(Ids(path_, {78, 5}), IsEmpty());
  EXPECT_THAT(Ids(path_, {77, 6}), IsEmpty());
  EXPECT_THAT(Ids(path_, {77, 4}), ElementsAre(1));
  EXPECT_THAT(Ids(folder_ + "/none"), IsEmpty());
}

TEST_F(AttemptLogTest, ARecordThatWasWrittenInPartIsNoneAndTheNextOneTakesItsPlace) {
  OpenAll(1, 1);
  {
    const FileSizeLimit limit(Written().size() + 30);
    const auto refused = log_->Open(Attempt(2));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kFull);
    EXPECT_THAT(refused.error().message, HasSubstr(path_));
    EXPECT_THAT(refused.error().message, HasSubstr("free space"));
    EXPECT_TRUE(log_->failed());
    EXPECT_THAT(Ids(path_), ElementsAre(1));
    EXPECT_THROW(log_->Renew(), DatabaseError);
    EXPECT_TRUE(log_->failed());
  }
  OpenAll(3, 3);
  EXPECT_THAT(Ids(path_), ElementsAre(1, 3));
  EXPECT_NE(log_->Find(2), nullptr) << "it may have been sent all the same";
  EXPECT_TRUE(log_->NeedsRenewal());
  log_->Renew();
  EXPECT_FALSE(log_->failed());
  EXPECT_THAT(Ids(path_), ElementsAre(1, 2, 3)) << "a new file holds everything that is open";
}

TEST_F(AttemptLogTest, ANewGenerationHoldsWhatIsStillOpen) {
  OpenAll(1, 4);
  Close(2);
  EXPECT_EQ(log_->Find(2), nullptr);
  EXPECT_EQ(log_->Find(3)->quota_group, "group");
  EXPECT_EQ(log_->generation(), kIdentity.generation);
  log_->Renew();
  EXPECT_EQ(log_->generation(), kIdentity.generation + 1);
  OpenAll(5, 5);
  EXPECT_THAT(Ids(path_, {77, 6}), ElementsAre(1, 3, 4, 5));
  EXPECT_FALSE(fs::exists(path_ + ".next"));
}

TEST_F(AttemptLogTest, AGenerationThatHasNotTakenItsPlaceIsReadWithTheOneBefore) {
  OpenAll(1, 3);
  const std::string before = Bytes(path_);
  Close(1);
  log_->Renew();
  OpenAll(4, 4);
  fs::rename(path_, path_ + ".next");
  WriteFile(path_, before);
  EXPECT_THAT(Ids(path_), ElementsAre(1, 2, 3, 4));
}

TEST_F(AttemptLogTest, IsRenewedWhenItIsLongAndOnlyThen) {
  EXPECT_FALSE(log_->NeedsRenewal());
  std::int64_t id = 0;
  while (!log_->NeedsRenewal()) {
    ASSERT_LT(id, 100'000);
    OpenAll(id + 1, id + 1);
    Close(++id);
  }
  EXPECT_GT(id, 1'000);
  log_->Renew();
  EXPECT_FALSE(log_->NeedsRenewal());
  EXPECT_THAT(Ids(path_), IsEmpty());
}

TEST_F(AttemptLogTest, OneThatIsTakenAwayIsWrittenAgain) {
  OpenAll(1, 2);
  EXPECT_FALSE(log_->HasMoved());
  fs::remove(path_);
  EXPECT_TRUE(log_->HasMoved());
  log_->Renew();
  EXPECT_THAT(Ids(path_), ElementsAre(1, 2));
  WriteFile(folder_ + "/other", "something else");
  fs::rename(folder_ + "/other", path_);
  EXPECT_TRUE(log_->HasMoved());
  log_->Renew();
  EXPECT_FALSE(log_->HasMoved());
  EXPECT_THAT(Ids(path_), ElementsAre(1, 2));
}

TEST_F(AttemptLogTest, AFolderThatIsTakenAwayKeepsTheFileOpenAndIsTriedAgain) {
  OpenAll(1, 1);
  fs::remove_all(folder_);
  EXPECT_THROW(log_->Renew(), DatabaseError);
  OpenAll(2, 2);
  fs::create_directories(folder_);
  log_->Renew();
  EXPECT_THAT(Ids(path_), ElementsAre(1, 2));
}

TEST_F(AttemptLogTest, AFolderThatCannotBeWrittenIsSaidWithTheRemedy) {
  try {
    const AttemptLog refused("/proc/none/attempts", kIdentity);
    FAIL() << "nothing can be made there";
  } catch (const DatabaseError& error) {
    EXPECT_EQ(error.error().code, ErrorCode::kReadOnly);
    EXPECT_THAT(error.error().message, HasSubstr("--state-dir"));
  }
}

// ---- with the store around it

class AttemptsOfStore : public StoreTest {
 protected:
  std::string Log() const { return folder_ + "/requestrouter.db-attempts"; }
  // A daemon's that starts on these files, as if the present one had been killed.
  std::unique_ptr<Store> OpenAfterKill() const {
    const std::string place = folder_ + "/after";
    fs::remove_all(place);
    fs::create_directories(place);
    for (const char* suffix : {"", "-wal", "-attempts"}) {
      fs::copy(folder_ + "/requestrouter.db" + suffix, place + "/requestrouter.db" + suffix);
    }
    SqliteOptions options = Options();
    options.directory = place;
    return std::move(*OpenSqliteStore(options));
  }
  // What it finds.
  Recovered AfterKill() const { return *OpenAfterKill()->Recover(kNow); }
  static std::vector<std::string> Unknown(const Recovered& recovered) {
    std::vector<std::string> ids;
    for (const UnknownAttempt& attempt : recovered.unknown) {
      ids.push_back(attempt.opened.request_id);
    }
    return ids;
  }
};

TEST_F(AttemptsOfStore, AfterAKillWhatIsOpenIsUnknownAndCountedAndWhatHasEndedIsNot) {
  for (int id = 1; id <= 3; ++id) ASSERT_TRUE(store_->OpenAttempt(Attempt(id)));
  Write(AttemptClosed{2, true, 10, 5});
  const Recovered recovered = AfterKill();
  EXPECT_THAT(Unknown(recovered), ElementsAre("request-1", "request-3"));
  ASSERT_EQ(recovered.minutes.size(), 1u);
  EXPECT_EQ(recovered.minutes[0].requests, 3);
  EXPECT_EQ(recovered.minutes[0].input_tokens, 210);
  EXPECT_EQ(recovered.last_attempt_id, 3);
}

TEST_F(AttemptsOfStore, WhatWasFoundUnknownIsFoundAgainAndCountedOnce) {
  ASSERT_TRUE(store_->OpenAttempt(Attempt(1)));
  const std::string before = Bytes(Log());
  Reopen();
  store_.reset();
  WriteFile(Log(), before);  // as if it had been killed before it could begin a file of its own
  Open();
  const auto recovered = store_->Recover(kNow);
  EXPECT_THAT(Unknown(*recovered), ElementsAre("request-1"));
  EXPECT_EQ(recovered->minutes.at(0).requests, 1);
  EXPECT_EQ(recovered->last_attempt_id, 1);
}

TEST_F(AttemptsOfStore, WhatTheVersionBeforeLeftOpenIsUnknownAndCounted) {
  store_.reset();
  for (const char* suffix : {"", "-wal", "-shm"})
    fs::remove(folder_ + "/requestrouter.db" + suffix);
  {
    Database database(folder_ + "/requestrouter.db", Database::Mode::kReadWrite);
    database.Execute(Bytes(std::string(FIXTURE_DIR) + "/schema_3.sql").c_str());
  }
  WriteFile(Log(), {kVersion1, sizeof kVersion1 - 1});
  Open();
  const auto recovered = store_->Recover(kNow);
  EXPECT_THAT(Unknown(*recovered), ElementsAre("request-1", "lost"));
  EXPECT_EQ(recovered->unknown[0].opened.counted_tokens, 150);
}

TEST_F(AttemptsOfStore, ManyAttemptsTakeNoMoreThanOneFilesSpaceAndNoneIsMistaken) {
  ASSERT_TRUE(store_->OpenAttempt(Attempt(1)));
  for (int id = 2; id <= 30'000; ++id) {
    ASSERT_TRUE(store_->OpenAttempt(Attempt(id)));
    store_->Submit(EndOf(AttemptClosed{id, true, 1, 1}), Durability::kProcess, [](auto) {});
  }
  Write(Flush{});
  Write(Flush{});  // the log is renewed after a group
  EXPECT_LE(fs::file_size(Log()), 8u << 20);
  const Recovered recovered = AfterKill();
  EXPECT_THAT(Unknown(recovered), ElementsAre("request-1"));
  EXPECT_EQ(recovered.last_attempt_id, 30'000);
  EXPECT_EQ(recovered.minutes.at(0).requests, 30'000);
}

TEST_F(AttemptsOfStore, WheneverItIsKilledEachEndIsCountedOnce) {
  for (std::size_t id = 1; id <= 205; ++id) {
    ASSERT_TRUE(store_->OpenAttempt(Attempt(static_cast<int>(id))));
    Finish finish;
    finish.attempt = AttemptClosed{static_cast<std::int64_t>(id), true, 2, 3, 5};
    finish.usage.push_back({1, "coder", "", "k1", "flash", kNow, 1, 0, 10, 5, 0, 7});
    ASSERT_TRUE(Write(finish));
    if (id % 40 > 5 && id % 100 > 4) continue;  // before and after counters are added up
    const auto next = OpenAfterKill();
    EXPECT_EQ(UsedRequests(*next), id);
    const auto recovered = next->Recover(kNow);
    EXPECT_THAT(Unknown(*recovered), IsEmpty());
    EXPECT_EQ(recovered->seconds.at(0).requests, static_cast<std::int64_t>(id));
    EXPECT_EQ(recovered->minutes.at(0).counted_tokens, 5 * static_cast<std::int64_t>(id));
  }
}

TEST_F(AttemptsOfStore, ADeletedLogIsWrittenAgainWithTheNextWrite) {
  ASSERT_TRUE(store_->OpenAttempt(Attempt(1)));
  fs::remove(Log());
  Write(Flush{});
  Write(Flush{});
  EXPECT_THAT(Unknown(AfterKill()), ElementsAre("request-1"));
}

TEST_F(AttemptsOfStore, IdsAreNotUsedAgainAfterAFileInWhichNothingIsOpen) {
  ASSERT_TRUE(store_->OpenAttempt(Attempt(7)));
  Write(AttemptClosed{7, true, 1, 1});
  fs::remove(Log());
  Write(Flush{});
  Write(Flush{});  // the log is renewed after a group
  EXPECT_EQ(AfterKill().last_attempt_id, 7);
}

TEST_F(AttemptsOfStore, ADatabaseThatWasReplacedHasNothingToDoWithTheLog) {
  ASSERT_TRUE(store_->OpenAttempt(Attempt(1)));
  store_.reset();
  fs::remove(folder_ + "/requestrouter.db");
  Open();
  EXPECT_THAT(store_->Recover(kNow)->unknown, IsEmpty());
}

}  // namespace
}  // namespace requestrouter::storage
