#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ipc/codec.h"
#include "payloads.h"

namespace requestrouter::ipc {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

BadRequest Refused(const Value& payload) {
  auto request = DecodeRequest(Pack(payload), Limits{});
  if (!request) return request.error();
  ADD_FAILURE() << "accepted: " << payload;
  return {};
}

Request Accepted(const Value& payload) {
  auto request = DecodeRequest(Pack(payload), Limits{});
  if (request) return *request;
  ADD_FAILURE() << request.error().error.message;
  return {};
}

Value Ping() { return {{"v", 1}, {"id", "r-1"}, {"op", "ping"}}; }

Value PingWith(const char* key, Value value) {
  Value payload = Ping();
  payload[key] = std::move(value);
  return payload;
}

TEST(DecodeRequest, NeedsNoMoreThanVersionIdAndOperation) {
  const Request request = Accepted(Ping());
  EXPECT_EQ(request.id, "r-1");
  EXPECT_EQ(request.deadline_ms, 120'000);
  EXPECT_TRUE(std::holds_alternative<PingRequest>(request.body));
  EXPECT_EQ(request.body_digest, "");
}

TEST(DecodeRequest, IgnoresKeysItDoesNotKnow) {
  EXPECT_EQ(Accepted(PingWith("novel", {{"x", 1}})).id, "r-1");
  EXPECT_EQ(Accepted(PingWith("body", {{"novel", 1}})).id, "r-1");
}

TEST(DecodeRequest, TakesNilForMissing) {
  EXPECT_EQ(Accepted(PingWith("deadline_ms", nullptr)).deadline_ms, 120'000);
  EXPECT_EQ(Accepted(PingWith("body", nullptr)).id, "r-1");
}

TEST(DecodeRequest, TheIdHasOneTo128Bytes) {
  EXPECT_EQ(Accepted(PingWith("id", std::string(128, 'x'))).id, std::string(128, 'x'));
  EXPECT_THAT(Refused(PingWith("id", std::string(129, 'x'))).error.message,
              StartsWith("id: must be at most 128 bytes, is 129"));
  EXPECT_THAT(Refused(PingWith("id", "")).error.message, StartsWith("id: is required"));
  EXPECT_EQ(Refused(PingWith("id", 7)).error.message, "id: must be a str, is an int");
}

TEST(DecodeRequest, ThePayloadIsAMap) {
  EXPECT_EQ(Refused(Value::array({1})).error.message, "the payload: must be a map, is an array");
}

TEST(DecodeRequest, AnotherVersionIsRefusedWithThoseThatAreSupported) {
  for (const Value& version : {Value(0), Value(2), Value(-1), Value(UINT64_MAX)}) {
    const BadRequest refused = Refused(PingWith("v", version));
    EXPECT_EQ(refused.error.type, ErrorType::kUnsupportedVersion) << version;
    EXPECT_EQ(refused.error.details, (Value{{"supported", {1}}}));
    EXPECT_EQ(refused.id, "r-1");
  }
}

TEST(DecodeRequest, AVersionThatIsNoIntIsInvalid) {
  for (const Value& version : {Value(), Value("1"), Value(1.5), Value(true)}) {
    const BadRequest refused = Refused(PingWith("v", version));
    EXPECT_EQ(refused.error.type, ErrorType::kInvalidRequest) << version;
    EXPECT_THAT(refused.error.message, StartsWith("v: "));
  }
}

TEST(DecodeRequest, AnotherVersionIsToldBeforeAnythingElseIsLookedAt) {
  const Value payload = {{"v", 2}, {"id", 7}, {"op", 7}, {"deadline_ms", "soon"}};
  EXPECT_EQ(Refused(payload).error.type, ErrorType::kUnsupportedVersion);
}

TEST(DecodeRequest, AnUnknownOperationIsRefusedWithThoseThatThereAre) {
  const BadRequest refused = Refused(PingWith("op", "pong"));
  EXPECT_EQ(refused.error.type, ErrorType::kUnknownOp);
  EXPECT_EQ(refused.id, "r-1");
  EXPECT_THAT(refused.error.message, HasSubstr("\"pong\""));
  EXPECT_THAT(refused.error.message, HasSubstr("chat, ping, cancel"));
  EXPECT_THAT(refused.error.message, HasSubstr("backup"));
}

TEST(DecodeRequest, AnUnknownOperationIsToldBeforeTheBodyIsLookedAt) {
  const Value payload = {{"v", 1}, {"id", "r-1"}, {"op", "pong"}, {"body", 7}};
  EXPECT_EQ(Refused(payload).error.type, ErrorType::kUnknownOp);
}

TEST(DecodeRequest, TheDeadlineIsFromOneMillisecondToADay) {
  EXPECT_EQ(Accepted(PingWith("deadline_ms", 1)).deadline_ms, 1);
  EXPECT_EQ(Accepted(PingWith("deadline_ms", 86'400'000)).deadline_ms, 86'400'000);
  for (const Value& deadline : {Value(0), Value(-1), Value(86'400'001), Value(UINT64_MAX)}) {
    EXPECT_EQ(Refused(PingWith("deadline_ms", deadline)).error.message,
              "deadline_ms: must be an int from 1 to 86400000, is " + deadline.dump());
  }
}

TEST(DecodeRequest, AFloatWithoutAFractionIsAnInt) {
  EXPECT_EQ(Accepted(PingWith("deadline_ms", 2000.0)).deadline_ms, 2000);
  EXPECT_EQ(Accepted(PingWith("v", 1.0)).id, "r-1");
  EXPECT_EQ(Refused(PingWith("deadline_ms", 2000.5)).error.message,
            "deadline_ms: must be an int from 1 to 86400000, is 2000.5");
}

TEST(DecodeRequest, AWrongTypeIsNamedWithTheTypeThatCame) {
  EXPECT_EQ(Refused(PingWith("deadline_ms", "soon")).error.message,
            "deadline_ms: must be an int from 1 to 86400000, is a str");
  EXPECT_EQ(Refused(PingWith("deadline_ms", true)).error.message,
            "deadline_ms: must be an int from 1 to 86400000, is a bool");
  EXPECT_EQ(Refused(PingWith("op", 7)).error.message, "op: must be a str, is an int");
  EXPECT_EQ(Refused(PingWith("body", Value::array())).error.message,
            "body: must be a map, is an array");
}

TEST(DecodeRequest, BytesAreNoText) {
  EXPECT_EQ(Refused(PingWith("op", Value::binary({'p'}))).error.message,
            "op: must be a str, is a bin");
}

TEST(DecodeRequest, AnEmptyPayloadIsInvalidAndHasNoId) {
  const auto refused = DecodeRequest("", Limits{});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().id, "");
  EXPECT_EQ(refused.error().error.type, ErrorType::kInvalidRequest);
}

TEST(DecodeRequest, APayloadOverTheLimitIsTooLarge) {
  const auto refused = DecodeRequest(Pack(Ping()), Limits{10, 32});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().id, "r-1");
  EXPECT_EQ(refused.error().error.type, ErrorType::kPayloadTooLarge);
  EXPECT_EQ(refused.error().error.details, (Value{{"limit", 10}}));
}

TEST(DecodeRequest, APayloadOverTheLimitThatBreaksOffIsTooLarge) {
  const std::string whole = Pack(Ping());
  const auto refused = DecodeRequest(whole.substr(0, whole.size() - 1), Limits{10, 32});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().error.type, ErrorType::kPayloadTooLarge);
}

}  // namespace
}  // namespace requestrouter::ipc
