#include <gtest/gtest.h>

#include "ipc/peer.h"
#include "ipc/quote.h"
#include "ipc/rfc3339.h"
#include "ipc/utf8.h"

namespace requestrouter::ipc {
namespace {

TEST(Rfc3339, ReadsInstantsWithAnyOffset) {
  EXPECT_EQ(ParseRfc3339("1970-01-01T00:00:00Z"), 0);
  EXPECT_EQ(ParseRfc3339("1970-01-01t00:00:00.001z"), 1);
  EXPECT_EQ(ParseRfc3339("1969-12-31T23:59:59.999Z"), -1);
  EXPECT_EQ(ParseRfc3339("2026-01-31 12:00:00+05:30"), 1769841000000);
  EXPECT_EQ(ParseRfc3339("2026-01-31T06:30:00-00:00"), 1769841000000);
  EXPECT_EQ(ParseRfc3339("2024-02-29T00:00:00Z"), 1709164800000);
  EXPECT_EQ(ParseRfc3339("2016-12-31T23:59:60Z"), 1483228800000);
  EXPECT_EQ(ParseRfc3339("1970-01-01T00:00:00.123456789Z"), 123);
}

TEST(Rfc3339, RefusesWhatIsNoInstant) {
  for (const char* text :
       {"", "now", "2026-01-31", "2026-01-31T12:00:00", "2026-1-31T12:00:00Z",
        "2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "2026-01-01T24:00:00Z",
        "2026-01-01T00:60:00Z", "2026-01-01T00:00:61Z", "2026-01-01T00:00:00.Z",
        "2026-01-01T00:00:00Z ", " 026-01-01T00:00:00Z", "2026-01-01T00:00:00+24:00",
        "2026-01-01T00:00:00+0100", "2026-01-01T00:00:00.", "2026-01-01T00:00:00.5",
        "+026-01-01T00:00:00Z", "2026-01-01X00:00:00Z"}) {
    EXPECT_FALSE(ParseRfc3339(text)) << text;
  }
  EXPECT_FALSE(ParseRfc3339(std::string_view("2026-01-01T00:00:00Z\0", 21)));
}

TEST(Rfc3339, WritesMillisecondsInUtc) {
  EXPECT_EQ(FormatRfc3339(1769841000007), "2026-01-31T06:30:00.007Z");
  EXPECT_EQ(FormatRfc3339(-1), "1969-12-31T23:59:59.999Z");
}

TEST(Utf8, KnowsWhatIsValid) {
  for (const char* text : {"", "a", "long enough for several blocks of eight bytes", "\xC2\x80",
                           "\xE0\xA0\x80", "\xED\x9F\xBF", "\xEE\x80\x80", "\xF0\x90\x80\x80",
                           "\xF4\x8F\xBF\xBF", "12345678\xC3\xBC"}) {
    EXPECT_TRUE(IsUtf8(text)) << text;
  }
}

TEST(Utf8, KnowsWhatIsNot) {
  for (const char* text :
       {"\x80", "\xC2", "\xC1\xBF", "\xE0\x9F\xBF", "\xED\xA0\x80", "\xF0\x8F\xBF\xBF",
        "\xF0\x90(\x80", "\xF0\x90\x80(", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF",
        "12345678\xC3", "1234567\xC3(", "\xE2\x82"}) {
    EXPECT_FALSE(IsUtf8(text)) << text;
  }
}

TEST(Utf8, ReplacesEachBadByte) {
  EXPECT_EQ(ReplaceInvalidUtf8("a\xFF\xFE"
                               "b"),
            "a\xEF\xBF\xBD\xEF\xBF\xBD"
            "b");
  EXPECT_EQ(ReplaceInvalidUtf8("gr\xC3\xBC\xC3\x9F"), "gr\xC3\xBC\xC3\x9F");
}

TEST(Quoted, IsPrintableAndShort) {
  EXPECT_EQ(Quoted("x\n\"\x1b"), "\"x\\n\\\"\\u001b\"");
  EXPECT_EQ(Quoted(std::string(64, 'x')), '"' + std::string(64, 'x') + '"');
  EXPECT_EQ(Quoted(std::string(65, 'x')), '"' + std::string(64, 'x') + "...\"");
  EXPECT_EQ(Quoted(std::string(63, 'x') + "\xC3\xBC"), '"' + std::string(63, 'x') + "...\"")
      << "no character is cut";
  EXPECT_EQ(Quoted("\xFF"), "\"\xEF\xBF\xBD\"");
}

TEST(PeerAddress, IsReadFromTheRight) {
  EXPECT_EQ(ParsePeerAddress("localhost:1000:100:42"), (Peer{1000, 100, 42}));
  EXPECT_EQ(ParsePeerAddress("a:b:4294967295:0:1"), (Peer{4294967295u, 0, 1}));
  for (const Peer& other : {Peer{1001, 100, 42}, Peer{1000, 101, 42}, Peer{1000, 100, 43}}) {
    EXPECT_NE(ParsePeerAddress("localhost:1000:100:42"), other);
  }
}

TEST(PeerAddress, WithoutAllCredentialsIsNone) {
  for (const char* address :
       {"", "localhost", "localhost:1:2", "localhost:1:2:", "localhost:1:2:x", "localhost:1:2:-3",
        "localhost:1:2:3x", "localhost:4294967296:2:3", "1:2:3"}) {
    EXPECT_FALSE(ParsePeerAddress(address)) << address;
  }
}

}  // namespace
}  // namespace requestrouter::ipc
