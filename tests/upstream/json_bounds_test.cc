#include "daemon/upstream/json_bounds.h"

#include <gtest/gtest.h>

#include <cmath>

#include "daemon/upstream/json_view.h"

namespace requestrouter::upstream {
namespace {

std::string Nested(std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); }

TEST(JsonBounds, TheGreatestDepthParsesAndOneMoreDoesNot) {
  EXPECT_TRUE(ParseJson(Nested(kMaxJsonDepth)));
  EXPECT_FALSE(ParseJson(Nested(kMaxJsonDepth + 1)));
}

TEST(JsonBounds, ADepthBombIsRefusedWithoutBeingBuilt) {
  EXPECT_FALSE(ParseJson(std::string(10'000'000, '[')));
}

TEST(JsonBounds, BracketsInsideOfStringsAreNoDepth) {
  const auto parsed =
      ParseJson("[\"" + std::string(100, '[') + "\\\"" + std::string(100, '{') + "\"]");
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->front().get<std::string>().size(), 201u);
}

std::string ObjectOfKeys(std::size_t count) {
  std::string text = "{";
  for (std::size_t i = 0; i < count; ++i) {
    text += (i == 0 ? "\"" : ",\"") + std::to_string(i) + "\":0";
  }
  return text + "}";
}

TEST(JsonBounds, AnObjectOfVeryManyKeysIsRefused) {
  EXPECT_TRUE(ParseJson(ObjectOfKeys(2'000)));
  EXPECT_FALSE(ParseJson(ObjectOfKeys(20'000)));
}

TEST(JsonBounds, ManySmallObjectsAreFine) {
  std::string text = "[";
  for (int i = 0; i < 20'000; ++i) text += "{\"a\":1,\"b\":2},";
  EXPECT_TRUE(ParseJson(text + "0]"));
}

TEST(JsonBounds, MalformedTextFails) {
  for (const char* text : {"", " ", "{", "{\"a\":}", "[1,]", "nul", "\"\xff\"", "{}x"}) {
    EXPECT_FALSE(ParseJson(text)) << text;
  }
}

TEST(JsonBounds, InvalidUtf8IsReplacedWhenWritten) {
  EXPECT_EQ(DumpJson(ipc::Value("a\xff")), "\"a\xEF\xBF\xBD\"");
}

TEST(JsonBounds, NumbersReadBackAsTheyWereWritten) {
  for (const double number : {0.0, -0.0, 0.7, 1.0, 1e5, 1e300, 5e-324, -1.7976931348623157e308}) {
    const ipc::Value read = *ParseJson(DumpJson(number));
    EXPECT_TRUE(read.is_number_float()) << number;
    EXPECT_EQ(read.get<double>(), number);
  }
  EXPECT_EQ(DumpJson(0.7), "0.7");
  EXPECT_EQ(DumpJson(2.0), "2.0");
  EXPECT_EQ(DumpJson(INFINITY), "null");
}

TEST(JsonView, CountsAreNeverNegativeNorHuge) {
  const ipc::Value object = ipc::Value::parse(
      R"({"minus":-5,"huge":1e300,"text":"7","big":18446744073709551615,"fine":42})");
  EXPECT_EQ(CountMember(object, "minus"), 0);
  EXPECT_EQ(CountMember(object, "huge"), 1'000'000'000'000);
  EXPECT_EQ(CountMember(object, "big"), 1'000'000'000'000);
  EXPECT_EQ(CountMember(object, "text"), 0);
  EXPECT_EQ(CountMember(object, "absent"), 0);
  EXPECT_EQ(CountMember(object, "fine"), 42);
}

TEST(JsonView, ShortenedTextEndsAtACharactersBoundaryAndHasNoControlCharacters) {
  EXPECT_EQ(Bounded("a\n\x1b[b", 100), "a  [b");
  EXPECT_EQ(Bounded("a\xC3\xA4", 2), "a");
  EXPECT_EQ(Bounded("a\xC3\xA4", 3), "a\xC3\xA4");
}

}  // namespace
}  // namespace requestrouter::upstream
