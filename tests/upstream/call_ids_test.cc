#include "daemon/upstream/call_ids.h"

#include <gtest/gtest.h>

#include "tests/upstream/dialect_fixture.h"

namespace requestrouter::upstream {
namespace {

TEST(CallIds, ASyntheticIdIsTheSameForTheSameAnswerAndDiffersByAnswerAndIndex) {
  EXPECT_EQ(SyntheticCallId("answer-1", 0), SyntheticCallId("answer-1", 0));
  EXPECT_NE(SyntheticCallId("answer-1", 0), SyntheticCallId("answer-1", 1));
  EXPECT_NE(SyntheticCallId("answer-1", 0), SyntheticCallId("answer-2", 0));
}

TEST(CallIds, AnIdThatEveryProviderAcceptsIsKept) {
  EXPECT_EQ(PortableCallId("toolu_01A-b", 40), "toolu_01A-b");
  EXPECT_EQ(PortableCallId(std::string(40, 'a'), 40), std::string(40, 'a'));
}

TEST(CallIds, AnIdThatIsTooLongOrHasOtherCharactersIsReplacedByADigestOfIt) {
  const std::string too_long(41, 'a');
  EXPECT_LE(PortableCallId(too_long, 40).size(), 40u);
  EXPECT_NE(PortableCallId("functions.read:0", 64), PortableCallId("functions.read:1", 64));
  EXPECT_EQ(PortableCallId("functions.read:0", 64), PortableCallId("functions.read:0", 64));
  EXPECT_EQ(PortableCallId("functions.read:0", 64).find_first_of(".:"), std::string::npos);
  EXPECT_FALSE(PortableCallId("", 64).empty());
}

TEST(CallIds, MistralGetsNineLettersAndDigits) {
  EXPECT_EQ(MistralCallId("D681PevKs"), "D681PevKs");
  EXPECT_EQ(MistralCallId("call_abcd").size(), 9u);
  EXPECT_EQ(MistralCallId("call_abcd").find('_'), std::string::npos);
}

TEST(CallIds, ACallIsFoundOnlyBeforeItsResultAndTheLatestOneWins) {
  const std::vector<ipc::Message> messages = {Calls({Call("a", "first", "{}")}), Result("a", "1"),
                                              Calls({Call("a", "second", "{}")})};
  EXPECT_EQ(CalledFunction(messages, 0, "a"), nullptr);
  EXPECT_EQ(*CalledFunction(messages, 1, "a"), "first");
  EXPECT_EQ(*CalledFunction(messages, 3, "a"), "second");
  EXPECT_EQ(CalledFunction(messages, 3, "b"), nullptr);
}

}  // namespace
}  // namespace requestrouter::upstream
