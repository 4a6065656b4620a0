#include "daemon/router/key_recorder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/daemon/daemon_fixture.h"

namespace requestrouter {
namespace {

using policy::FaultKind;
using std::chrono::milliseconds;
using ::testing::ElementsAre;

class KeyRecorderTest : public DaemonTest {
 protected:
  void RetryAfter(milliseconds time) {
    Settle();
    clock_.Advance(time);
    keys_.Retry();
    Settle();
  }
};

TEST_F(KeyRecorderTest, AChangeIsToldOnceAndStored) {
  Fail("k1", FaultKind::kKeyInvalid);
  keys_.Record(FaultKind::kNone);
  EXPECT_THAT(observer_.changed, ElementsAre("k1"));
  EXPECT_EQ(StoredStateOf("k1"), "disabled");
  EXPECT_EQ(keys_.NextDeadline(), policy::kNever);
}

TEST_F(KeyRecorderTest, AStateThatTheDatabaseRefusesIsStoredWhenItWorksAgain) {
  store_.failing = true;
  Fail("k1", FaultKind::kKeyInvalid);
  RetryAfter(milliseconds(250));
  EXPECT_EQ(StoredStateOf("k1"), "");
  EXPECT_EQ(keys_.refused_count(), 1u);
  store_.failing = false;
  RetryAfter(milliseconds(249));
  EXPECT_EQ(StoredStateOf("k1"), "") << "not in every turn";
  RetryAfter(milliseconds(1));
  EXPECT_EQ(StoredStateOf("k1"), "disabled");
  EXPECT_EQ(keys_.refused_count(), 0u);
}

TEST_F(KeyRecorderTest, OfTheStatesOfAKeyThatAreRefusedTheNewestIsStored) {
  store_.failing = true;
  Fail("k1", FaultKind::kKeyInvalid);
  Settle();
  dispatcher_.Reset("k1", false, clock_.Steady());
  keys_.Record(FaultKind::kNone);
  Settle();
  EXPECT_EQ(keys_.refused_count(), 3u) << "the key, its quota and its provider";
  store_.failing = false;
  RetryAfter(milliseconds(250));
  EXPECT_EQ(StoredStateOf("k1"), "ready");
}

TEST_F(KeyRecorderTest, AnOlderStateThatWasRefusedDoesNotReplaceANewerOne) {
  store_.failing = true;
  Fail("k1", FaultKind::kKeyInvalid);
  store_.Finish();  // refused, but not told yet
  store_.failing = false;
  dispatcher_.Reset("k1", false, clock_.Steady());
  keys_.Record(FaultKind::kNone);
  RetryAfter(milliseconds(250));
  EXPECT_EQ(StoredStateOf("k1"), "ready");
}

}  // namespace
}  // namespace requestrouter
