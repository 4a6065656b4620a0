#include "daemon/upstream/json_schema.h"

#include <gtest/gtest.h>

namespace requestrouter::upstream {
namespace {

ipc::Value Schema(const char* text) { return ipc::Value::parse(text); }

TEST(JsonSchema, IsStrictWhereEveryObjectIsClosedAndRequiresAllItsProperties) {
  EXPECT_TRUE(IsStrictSchema(Schema(
      R"({"type":"object","properties":{"a":{"type":"array","items":{"type":"object","properties":
      {"b":{"type":"string"}},"required":["b"],"additionalProperties":false}}},"required":["a"],
      "additionalProperties":false})")));
}

TEST(JsonSchema, IsNotStrictWhereAnObjectIsOpenOrAPropertyOptional) {
  EXPECT_FALSE(IsStrictSchema(
      Schema(R"({"type":"object","properties":{"a":{"type":"string"}},"required":["a"]})")));
  EXPECT_FALSE(IsStrictSchema(Schema(
      R"({"type":"object","properties":{"a":{},"b":{}},"required":["a"],
      "additionalProperties":false})")));
  EXPECT_FALSE(IsStrictSchema(Schema(
      R"({"type":"object","properties":{"a":{"anyOf":[{"type":"null"},{"type":"object"}]}},
      "required":["a"],"additionalProperties":false})")));
  EXPECT_FALSE(IsStrictSchema(ipc::Value()));
}

TEST(JsonSchema, ClosingReachesNestedObjectsAndRespectsWhatIsSaid) {
  const ipc::Value closed = ClosedSchema(Schema(
      R"({"type":"object","properties":{"properties":{"type":"object","properties":{}},
      "open":{"type":"object","additionalProperties":true}},
      "$defs":{"d":{"type":"object"}}})"));
  EXPECT_EQ(closed["additionalProperties"], false);
  EXPECT_EQ(closed["properties"]["properties"]["additionalProperties"], false);
  EXPECT_EQ(closed["properties"]["open"]["additionalProperties"], true);
  EXPECT_EQ(closed["$defs"]["d"]["additionalProperties"], false);
  EXPECT_FALSE(closed["properties"].contains("additionalProperties"));
}

TEST(JsonSchema, GeminisSubsetExcludesWhatOpenApiDoesNotHave) {
  EXPECT_TRUE(IsGeminiSchema(
      Schema(R"({"type":"object","properties":{"$ref":{"type":"string","enum":["a"]}}})")));
  EXPECT_FALSE(IsGeminiSchema(Schema(R"({"type":["string","null"]})")));
  EXPECT_FALSE(IsGeminiSchema(Schema(R"({"type":"integer","enum":[1,2]})")));
  EXPECT_FALSE(IsGeminiSchema(Schema(
      R"({"type":"object","properties":{"a":{"type":"object","additionalProperties":false}}})")));
  EXPECT_FALSE(IsGeminiSchema(Schema(R"({"type":"array","items":{"$ref":"#/$defs/x"}})")));
}

}  // namespace
}  // namespace requestrouter::upstream
