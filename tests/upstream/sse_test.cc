#include "daemon/upstream/sse.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace requestrouter::upstream {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// "name|data" of each event, in order.
std::vector<std::string> Flat(const std::vector<SseParser::Event>& events) {
  std::vector<std::string> flat;
  for (const SseParser::Event& event : events) flat.push_back(event.name + "|" + event.data);
  return flat;
}

std::vector<std::string> Parse(std::string_view stream) {
  SseParser parser;
  return Flat(parser.Feed(stream));
}

struct Case {
  const char* what;
  std::string stream;
  std::vector<std::string> events;
};

const std::vector<Case>& Cases() {
  static const std::vector<Case> cases = {
      {"one event", "data: a\n\n", {"|a"}},
      {"two events", "data: a\n\ndata: b\n\n", {"|a", "|b"}},
      {"a name", "event: ping\ndata: {}\n\n", {"ping|{}"}},
      {"a name after the data", "data: {}\nevent: ping\n\n", {"ping|{}"}},
      {"the last name counts", "event: a\nevent: b\ndata: 1\n\n", {"b|1"}},
      {"a name without data is no event", "event: a\n\ndata: 1\n\n", {"|1"}},
      {"lines are joined", "data: a\ndata: b\ndata:\ndata: c\n\n", {"|a\nb\n\nc"}},
      {"carriage returns", "event: e\rdata: a\r\rdata: b\r\r", {"e|a", "|b"}},
      {"both line ends", "data: a\r\ndata: b\r\n\r\ndata: c\r\n\r\n", {"|a\nb", "|c"}},
      {"mixed line ends", "data: a\r\n\ndata: b\n\r\ndata: c\r\r\n", {"|a", "|b", "|c"}},
      {"no space after the colon", "data:a\n\n", {"|a"}},
      {"only one space goes", "data:  a \n\n", {"| a "}},
      {"a tab stays", "data:\ta\n\n", {"|\ta"}},
      {"no colon", "data\n\n", {"|"}},
      {"an empty value", "data:\n\n", {"|"}},
      {"two empty values", "data\ndata\n\n", {"|\n"}},
      {"comments", ": OPENROUTER PROCESSING\n\n:\n\ndata: a\n: c\ndata: b\n\n", {"|a\nb"}},
      {"keep-alives", "\n\n\n\n\r\n\r\ndata: a\n\n\n\n", {"|a"}},
      {"unknown fields", "id: 7\nretry: 10\nfoo: bar\ndata: a\n\n", {"|a"}},
      {"names are exact", "Data: a\n data: b\ndata : c\ndatax: d\n\n", {}},
      {"a colon in the value", "data: {\"a\": 1}\n\n", {"|{\"a\": 1}"}},
      {"a byte order mark",
       "\xEF\xBB\xBF"
       "data: a\n\n",
       {"|a"}},
      {"only at the beginning",
       "data: a\n\n\xEF\xBB\xBF"
       "data: b\n\n",
       {"|a"}},
      {"half a byte order mark",
       "\xEF\xBB"
       "data: a\n\ndata: b\n\n",
       {"|b"}},
      {"an end without a blank line", "data: a\n\ndata: b\n", {"|a"}},
      {"an end without a line end", "data: a\n\ndata: b", {"|a"}},
      {"done", "data: {}\n\ndata: [DONE]\n\n", {"|{}", "|[DONE]"}},
      {"bytes of any kind",
       std::string("data: \0\xFF\xC3\xA4\n\n", 12),
       {std::string("|\0\xFF\xC3\xA4", 5)}},
      {"html", "<html>\n<body>no</body>\n\n</html>", {}},
  };
  return cases;
}

TEST(Sse, StreamsAreReadByTheStandard) {
  for (const Case& c : Cases()) EXPECT_EQ(Parse(c.stream), c.events) << c.what;
}

TEST(Sse, AnySplitInTwoGivesTheSame) {
  for (const Case& c : Cases()) {
    for (std::size_t at = 0; at <= c.stream.size(); ++at) {
      SseParser parser;
      std::vector<std::string> events = Flat(parser.Feed(c.stream.substr(0, at)));
      for (std::string& event : Flat(parser.Feed(c.stream.substr(at)))) {
        events.push_back(std::move(event));
      }
      EXPECT_EQ(events, c.events) << c.what << ", split at " << at;
    }
  }
}

TEST(Sse, ByteByByteGivesTheSame) {
  for (const Case& c : Cases()) {
    SseParser parser;
    std::vector<std::string> events;
    for (const char byte : c.stream) {
      for (std::string& event : Flat(parser.Feed({&byte, 1}))) events.push_back(std::move(event));
    }
    EXPECT_EQ(events, c.events) << c.what;
  }
}

TEST(Sse, AnEventComesOutAsSoonAsItIsComplete) {
  SseParser parser;
  EXPECT_THAT(parser.Feed("data: a\n"), IsEmpty());
  EXPECT_THAT(Flat(parser.Feed("\n")), ElementsAre("|a"));
  EXPECT_THAT(parser.Feed("data: b\r\n"), IsEmpty());
  EXPECT_THAT(Flat(parser.Feed("\r")), ElementsAre("|b"));
  EXPECT_THAT(parser.Feed("\n"), IsEmpty());
}

TEST(Sse, AnEventBeyondTheBoundEndsTheStream) {
  SseParser fits(16);
  EXPECT_THAT(Flat(fits.Feed("data: 0123456789\n\n")), ElementsAre("|0123456789"));
  EXPECT_FALSE(fits.failed());
  SseParser larger(16);
  EXPECT_THAT(larger.Feed("data: 0123456789a\n\n"), IsEmpty());
  EXPECT_TRUE(larger.failed());
  EXPECT_THAT(larger.Feed("data: a\n\n"), IsEmpty());
}

TEST(Sse, ManyLinesOfOneEventCountTogether) {
  SseParser parser(100);
  for (int i = 0; i < 20 && !parser.failed(); ++i) parser.Feed("data: 0123456789\n");
  EXPECT_TRUE(parser.failed());
}

TEST(Sse, WhatCameBeforeTheBoundWasBrokenIsNotLost) {
  SseParser parser(16);
  EXPECT_THAT(Flat(parser.Feed("data: a\n\ndata: 01234567890123456789")), ElementsAre("|a"));
  EXPECT_TRUE(parser.failed());
}

// Megabytes byte by byte and in one piece: a parser that scans again what it has kept would take
// minutes for this.
TEST(Sse, LargeStreamsTakeLinearTime) {
  const std::string line = "data: " + std::string(4u << 20, 'x') + "\n\n";
  SseParser slow;
  std::size_t events = 0;
  for (const char byte : line) events += slow.Feed({&byte, 1}).size();
  EXPECT_EQ(events, 1u);
  std::string many;
  for (int i = 0; i < 100'000; ++i) many += "data: x\n\n";
  SseParser fast;
  EXPECT_EQ(fast.Feed(many).size(), 100'000u);
}

}  // namespace
}  // namespace requestrouter::upstream
