#include "client_lib/src/json.h"

#include <gtest/gtest.h>

namespace requestrouter::client {
namespace {

using ipc::Value;

std::string Nested(int depth) { return std::string(depth, '[') + std::string(depth, ']'); }

TEST(Json, EmptyTextIsNull) { EXPECT_TRUE(ParseJson("", "it").value().is_null()); }

TEST(Json, WhatIsNotJsonIsRefusedByName) {
  const auto result = ParseJson("{", "metadata");
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().type, ErrorType::kInvalidRequest);
  EXPECT_EQ(result.error().message, "metadata is not JSON");
}

TEST(Json, NestingIsBoundedOnBothSidesOfTheLimit) {
  EXPECT_TRUE(ParseJson(Nested(kMaxNesting), "it"));
  const auto result = ParseJson(Nested(kMaxNesting + 1), "it");
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().message, "it nests too deep");
}

TEST(Json, ABombOfBracketsIsRefusedWithoutRecursion) {
  EXPECT_FALSE(ParseJson(std::string(1'000'000, '['), "it"));
}

TEST(Json, AnImageInABodyBecomesBytesAndBack) {
  const std::string text =
      R"({"messages":[{"role":"user","content":[{"type":"image","data_base64":"AP8="}]}]})";
  auto body = ParseBody(text);
  ASSERT_TRUE(body);
  const Value& part = body->at("messages").at(0).at("content").at(0);
  EXPECT_EQ(part.at("data"), Value::binary({0x00, 0xFF}));
  EXPECT_FALSE(part.contains("data_base64"));
  EXPECT_EQ(DumpBody(*body), text);
}

TEST(Json, ABadImageInABodyIsRefused) {
  EXPECT_FALSE(ParseBody(R"({"messages":[{"data_base64":"?"}]})"));
}

TEST(Json, ABodyIsAnObject) {
  EXPECT_TRUE(ParseBody("").value().is_object());
  EXPECT_FALSE(ParseBody("[]"));
}

TEST(Json, InvalidUtf8FromTheWireIsReplaced) {
  EXPECT_EQ(DumpJson(Value("a\xFF")), "\"a\xEF\xBF\xBD\"");
}

}  // namespace
}  // namespace requestrouter::client
