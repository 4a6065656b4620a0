#include <gtest/gtest.h>

#include <utility>

#include "client_lib/routerctl/table.h"
#include "client_lib/routerctl/text.h"

namespace requestrouter::routerctl {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::system_clock;

TEST(Text, DurationsNameTheirTwoLargestUnits) {
  const std::pair<std::int64_t, const char*> rows[] = {
      {0, "0 ms"},          {999, "999 ms"},     {1'000, "1s"},          {59'999, "59s"},
      {60'000, "1m"},       {200'000, "3m 20s"}, {3'600'000, "1h"},      {3'659'999, "1h"},
      {3'660'000, "1h 1m"}, {86'400'000, "1d"},  {187'200'000, "2d 4h"}, {-5'000, "-5s"}};
  for (const auto& [ms, text] : rows) EXPECT_EQ(Duration(milliseconds(ms)), text);
}

TEST(Text, CountsAreGroupedByThousands) {
  const std::pair<std::int64_t, const char*> rows[] = {
      {0, "0"}, {999, "999"}, {1'000, "1,000"}, {1'234'567, "1,234,567"}, {-1'000, "-1,000"}};
  for (const auto& [number, text] : rows) EXPECT_EQ(Count(number), text);
}

TEST(Text, WidthCountsColumnsAndNotBytes) {
  EXPECT_EQ(Width("abc"), 3u);
  EXPECT_EQ(Width("h\u00e9llo"), 5u);
  EXPECT_EQ(Width("\u6f22\u5b57"), 4u);
  EXPECT_EQ(Width("e\u0301"), 1u);
}

TEST(Text, WhatCouldSteerATerminalIsReplaced) {
  EXPECT_EQ(Printable("a\033[31mb"), "a?[31mb");
  EXPECT_EQ(Printable("a\xFF\xFE"
                      "b"),
            "a??b");
  EXPECT_EQ(Printable(std::string_view("a\0b", 3)), "a?b");
  EXPECT_EQ(Printable("cut \xE2\x82"), "cut ??");
  EXPECT_EQ(Printable("a\nb\tc"), "a?b?c");
  EXPECT_EQ(Printable("a\nb\tc", /*keep_lines=*/true), "a\nb\tc");
  EXPECT_EQ(Printable("h\u00e9 \u6f22"), "h\u00e9 \u6f22");
}

TEST(Text, TimesAreReadAndWrittenAsTheProtocolDoes) {
  const auto at = ParseTime("2026-01-31T12:00:00.250Z");
  ASSERT_TRUE(at);
  EXPECT_EQ(FormatTime(*at), "2026-01-31T12:00:00.250Z");
  EXPECT_EQ(FormatTime(system_clock::time_point()), "1970-01-01T00:00:00.000Z");
  EXPECT_TRUE(ParseTime("2026-01-31T12:00:00Z"));
  for (const char* text :
       {"", "now", "2026-01-31", "2026-01-31T12:00:00", "2026-01-31T12:00:00Zx"}) {
    EXPECT_FALSE(ParseTime(text)) << text;
  }
}

TEST(Text, TimesAreShownRelativeToNow) {
  const auto now = *ParseTime("2026-01-31T12:00:00Z");
  EXPECT_EQ(Relative("2026-01-31T12:03:20Z", now), "in 3m 20s");
  EXPECT_EQ(Relative("2026-01-31T12:00:00Z", now), "now");
  EXPECT_EQ(Relative("2026-01-31T12:00:00.999Z", now), "now");
  EXPECT_EQ(Relative("2026-01-31T12:00:01Z", now), "in 1s");
  EXPECT_EQ(Relative("2026-01-31T11:59:59Z", now), "1s ago");
  EXPECT_EQ(Relative("whenever", now), "whenever");
}

TEST(Text, APeriodIsCountedBackFromNow) {
  const auto now = *ParseTime("2026-01-31T12:00:00Z");
  EXPECT_EQ(ParseSince("90s", now), "2026-01-31T11:58:30.000Z");
  EXPECT_EQ(ParseSince("12h", now), "2026-01-31T00:00:00.000Z");
  EXPECT_EQ(ParseSince("7d", now), "2026-01-24T12:00:00.000Z");
  EXPECT_EQ(ParseSince("today", now), "2026-01-31T00:00:00.000Z");
  EXPECT_EQ(ParseSince("2026-01-01T00:00:00Z", now), "2026-01-01T00:00:00.000Z");
  for (const char* text : {"", "7", "d", "7w", "-7d", "7d ", "99999999d"}) {
    EXPECT_EQ(ParseSince(text, now), std::nullopt) << text;
  }
}

TEST(Table, ColumnsAlignWhateverTheCharacters) {
  Table table({{"NAME"}, {"N", Table::Align::kRight}, {"LAST"}});
  table.Add({"\u6f22\u5b57", "1", "x"});
  table.Add({"abcdef", "1,000", ""});
  EXPECT_EQ(table.Text(),
            "NAME        N  LAST\n"
            "\u6f22\u5b57        1  x\n"
            "abcdef  1,000\n");
}

TEST(Table, ARowsStyleIsClosedAtItsEnd) {
  Table table({{"A"}});
  table.Add({"x"}, "\033[31m");
  EXPECT_EQ(table.Text(), "A\n\033[31mx\033[0m\n");
}

}  // namespace
}  // namespace requestrouter::routerctl
