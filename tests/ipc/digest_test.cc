#include "ipc/digest.h"

#include <cmath>
#include <cstdint>

#include <gtest/gtest.h>

#include "payloads.h"

namespace requestrouter::ipc {
namespace {

std::string DigestOf(Value payload) {
  auto request = DecodeRequest(Pack(payload), Limits{});
  if (request) return request->body_digest;
  ADD_FAILURE() << request.error().error.message;
  return "";
}

TEST(BodyDigest, HasSixteenBytesForAChatOnly) {
  EXPECT_EQ(DigestOf(RequestValue("chat", {{"prompt", "x"}})).size(), 16u);
  EXPECT_EQ(DigestOf(RequestValue("ping", Value::object())), "");
}

TEST(BodyDigest, TheOrderOfKeysDoesNotCountAtAnyDepth) {
  EXPECT_EQ(DigestOf(RequestValue("chat", {{"prompt", "x"}, {"metadata", {{"a", 1}, {"b", 2}}}})),
            DigestOf(RequestValue("chat", {{"metadata", {{"b", 2}, {"a", 1}}}, {"prompt", "x"}})));
}

TEST(BodyDigest, NeitherIdNorDeadlineCount) {
  const Value payload = RequestValue("chat", {{"prompt", "x"}});
  Value other = payload;
  other["deadline_ms"] = 1;
  other["id"] = "r-2";
  EXPECT_EQ(DigestOf(payload), DigestOf(other));
}

TEST(BodyDigest, EverythingElseCounts) {
  const std::vector<Value> values = {nullptr,
                                     true,
                                     false,
                                     0,
                                     1,
                                     -1,
                                     UINT64_MAX,
                                     0.5,
                                     "",
                                     "1",
                                     "x",
                                     Value::binary({'x'}),
                                     Value::array(),
                                     Value::array({nullptr}),
                                     Value::array({"x", "y"}),
                                     Value::array({"y", "x"}),
                                     Value::array({"xy"}),
                                     Value::array({Value::array({"x"}), "y"}),
                                     Value::object(),
                                     {{"x", "y"}},
                                     {{"xy", ""}},
                                     {{"y", "x"}}};
  for (std::size_t i = 0; i < values.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      EXPECT_NE(Digest(values[i]), Digest(values[j])) << values[i] << " " << values[j];
    }
  }
}

TEST(BodyDigest, AFloatWithoutAFractionIsTheInt) {
  EXPECT_EQ(Digest(2), Digest(2.0));
  EXPECT_EQ(Digest(-2), Digest(-2.0));
  EXPECT_EQ(Digest(0), Digest(-0.0));
  EXPECT_EQ(Digest(std::int64_t{7}), Digest(std::uint64_t{7}));
}

TEST(BodyDigest, AFloatIsNoIntBeyondWhatEveryFloatHoldsExactly) {
  EXPECT_EQ(Digest(9e15), Digest(std::int64_t{9'000'000'000'000'000}));
  EXPECT_EQ(Digest(-9e15), Digest(std::int64_t{-9'000'000'000'000'000}));
  const double above = std::nextafter(9e15, 1e16);
  EXPECT_NE(Digest(above), Digest(9e15));
  EXPECT_NE(Digest(above), Digest(static_cast<std::int64_t>(above)));
  EXPECT_NE(Digest(-above), Digest(static_cast<std::int64_t>(-above)));
  EXPECT_NE(Digest(above), Digest(-above));
}

TEST(BodyDigest, IsTheSameOnEveryRun) {
  std::string hex;
  for (const char byte : Digest({{"prompt", "hello"}})) {
    char text[3];
    std::snprintf(text, sizeof text, "%02x", static_cast<unsigned char>(byte));
    hex += text;
  }
  EXPECT_EQ(hex, "c597c2f78e4064d0d5a8f8edd64c487f")
      << "stored digests of running requests would no longer match";
}

}  // namespace
}  // namespace requestrouter::ipc
