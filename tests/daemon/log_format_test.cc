#include "daemon/log_format.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace requestrouter {
namespace {

std::string Text(const LogRecord& record) { return ToText(Unpack(record.packed())); }

TEST(LogFormat, AMessageIsFollowedByItsFields) {
  EXPECT_EQ(Text(LogRecord("request answered")
                     .With("request_id", "a")
                     .With("attempts", std::int64_t{2})
                     .With("cost_usd", 0.5)
                     .With("agent", "")),
            "request answered request_id=a attempts=2 cost_usd=0.5");
}

TEST(LogFormat, ValuesThatCouldBeMistakenAreQuoted) {
  EXPECT_EQ(Text(LogRecord("m")
                     .With("a", "x y")
                     .With("b", "q=1")
                     .With("c", "say \"hi\"")
                     .With("d", "back\\slash")),
            R"(m a="x y" b="q=1" c="say \"hi\"" d="back\\slash")");
}

TEST(LogFormat, NoControlCharacterGetsThrough) {
  EXPECT_EQ(Text(LogRecord("m").With("a", "1\n2\r3\t4\x1b[31m\x7f\xc2\x9b")),
            R"(m a="1\n2\r3\t4\x1b[31m\x7f\x9b")");
  EXPECT_EQ(ToText(Unpack("two\nlines")), "two\\nlines");
  EXPECT_EQ(Text(LogRecord("m").With("a", "Grüße 東京")), "m a=\"Grüße 東京\"");
}

TEST(LogFormat, AValueCannotMakeFieldsOfItsOwn) {
  const LogRecord record = LogRecord("m").With("a",
                                               "\x1f"
                                               "nb=1\x1e"
                                               "c=2\x1f");
  const LogFields fields = Unpack(record.packed());
  ASSERT_EQ(fields.fields.size(), 1u);
  EXPECT_EQ(fields.fields[0].value, "?nb=1?c=2?");
}

TEST(LogFormat, ATextThatIsNoRecordIsAllMessage) {
  EXPECT_EQ(Unpack("a \x1f b=c").fields.size(), 0u);
  EXPECT_EQ(Unpack("").message, "");
}

TEST(LogFormat, LongValuesAreCutBetweenCharacters) {
  const std::string most(LogRecord::kMostBytes, 'x');
  EXPECT_EQ(Text(LogRecord("m").With("a", most + "y")), "m a=" + most);
  const std::string almost(LogRecord::kMostBytes - 1, 'x');
  EXPECT_EQ(Text(LogRecord("m").With("a", almost + "ü")), "m a=" + almost);
}

TEST(LogFormat, ALineBeginsWithTimeAndLevel) {
  EXPECT_EQ(ToTextLine(Unpack("started"), "info", 1'700'000'000'123),
            "2023-11-14T22:13:20.123Z info started");
}

TEST(LogFormat, AsJsonNumbersAreNumbersAndTextsAreTexts) {
  const LogRecord record =
      LogRecord("m").With("id", "1").With("n", std::int64_t{-7}).With("bad", "\xff\n");
  const std::string line = ToJsonLine(Unpack(record.packed()), "info", 0);
  EXPECT_EQ(line.find('\n'), line.npos);
  EXPECT_EQ(nlohmann::json::parse(line), (nlohmann::json{{"time", "1970-01-01T00:00:00.000Z"},
                                                         {"level", "info"},
                                                         {"message", "m"},
                                                         {"id", "1"},
                                                         {"n", -7},
                                                         {"bad", "\xef\xbf\xbd\n"}}));
}

}  // namespace
}  // namespace requestrouter
