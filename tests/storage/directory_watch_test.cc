#include "storage/directory_watch.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "tests/support/temp_dir.h"

namespace requestrouter::storage {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

class DirectoryWatchTest : public ::testing::Test {
 protected:
  DirectoryWatchTest() {
    folder_.Write("a", "first");
    EXPECT_TRUE(Changed()) << "nobody has looked yet";
    EXPECT_FALSE(Changed());
  }
  bool Changed() { return watch_.MayHaveChanged(now_); }

  support::TempDir parent_;
  support::TempDir folder_;
  DirectoryWatch::Instant now_{std::chrono::hours(1)};
  DirectoryWatch watch_{folder_.path()};
};

TEST_F(DirectoryWatchTest, WritingAndAddingChangesNothing) {
  folder_.Write("a", "more");
  folder_.Write("b", "new");
  EXPECT_FALSE(Changed());
}

TEST_F(DirectoryWatchTest, ADeletedFileIsAChangeOnce) {
  fs::remove(folder_.File("a"));
  EXPECT_TRUE(Changed());
  EXPECT_FALSE(Changed());
}

TEST_F(DirectoryWatchTest, AFileThatIsMovedAwayOrBackIsAChange) {
  fs::rename(folder_.File("a"), parent_.File("a"));
  EXPECT_TRUE(Changed());
  fs::rename(parent_.File("a"), folder_.File("a"));
  EXPECT_TRUE(Changed());
  EXPECT_FALSE(Changed());
}

TEST_F(DirectoryWatchTest, AFilePutInThePlaceOfAnotherIsAChange) {
  parent_.Write("other", "other");
  fs::rename(parent_.File("other"), folder_.File("a"));
  EXPECT_TRUE(Changed());
  EXPECT_FALSE(Changed());
}

TEST_F(DirectoryWatchTest, ManyChangesAreOne) {
  for (int i = 0; i < 500; ++i) fs::remove(folder_.Write("file " + std::to_string(i), ""));
  EXPECT_TRUE(Changed());
  EXPECT_FALSE(Changed());
}

TEST_F(DirectoryWatchTest, WhatTheKernelDoesNotTellOfIsLookedForOnceASecond) {
  now_ += milliseconds(999);
  EXPECT_FALSE(Changed());
  now_ += milliseconds(1);
  EXPECT_TRUE(Changed());
  EXPECT_FALSE(Changed());
}

TEST_F(DirectoryWatchTest, OfADirectoryThatIsGoneEverythingMayHaveChanged) {
  fs::rename(folder_.path(), parent_.File("moved"));
  EXPECT_TRUE(Changed());
  EXPECT_TRUE(Changed());
  fs::create_directory(folder_.path());
  EXPECT_TRUE(Changed());
}

TEST_F(DirectoryWatchTest, OfADirectoryThatCannotBeWatchedEverythingMayHaveChanged) {
  DirectoryWatch watch(folder_.File("not there"));
  EXPECT_TRUE(watch.MayHaveChanged(now_));
  EXPECT_TRUE(watch.MayHaveChanged(now_));
}

}  // namespace
}  // namespace requestrouter::storage
