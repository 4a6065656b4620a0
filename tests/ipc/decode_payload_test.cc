#include "ipc/decode_payload.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "ipc/bounds.h"
#include "ipc/wire_value.h"
#include "payloads.h"

namespace requestrouter::ipc {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;
using namespace std::string_literals;

DecodedPayload DecodeBytes(const std::string& bytes) { return DecodePayload(bytes, Limits{}); }

std::string MistakeIn(const std::string& bytes) {
  const DecodedPayload decoded = DecodeBytes(bytes);
  if (!decoded.error) return "none";
  EXPECT_TRUE(decoded.value.is_null());
  EXPECT_EQ(decoded.error->type, ErrorType::kInvalidRequest);
  return decoded.error->message;
}

// {"id": "r-1", "body": BYTES}
std::string WithBody(const std::string& bytes) { return "\x82\xa2id\xa3r-1\xa4"s + "body" + bytes; }

// An array's header of 32 bits, big-endian.
std::string ArrayHeader(std::uint32_t size) {
  std::string header = "\xdd";
  for (int shift = 24; shift >= 0; shift -= 8) header += static_cast<char>(size >> shift);
  return header;
}

TEST(DecodePayload, GivesBackWhatWasPacked) {
  const Value value = {
      {"nil", nullptr},
      {"bool", true},
      {"int", 7},
      {"negative", -7},
      {"large", std::numeric_limits<std::uint64_t>::max()},
      {"least", std::numeric_limits<std::int64_t>::min()},
      {"float", 0.5},
      {"text", "gr\xC3\xBC\xC3\x9F"},
      {"bin", Value::binary({0, 255})},
      {"array", {1, "two", Value::array(), Value::object()}},
      {"map", {{"z", 1}, {"a", 2}}},
  };
  const DecodedPayload decoded = DecodeBytes(Pack(value));
  ASSERT_FALSE(decoded.error) << decoded.error->message;
  EXPECT_EQ(decoded.value, value);
  EXPECT_EQ(decoded.value.dump(-1, ' ', false, Value::error_handler_t::replace),
            value.dump(-1, ' ', false, Value::error_handler_t::replace))
      << "the order of the keys is kept";
}

TEST(DecodePayload, AValueAloneIsReadLikeAPayload) {
  EXPECT_EQ(DecodeValue(Pack({{"a", 1}}), Limits{}), (Value{{"a", 1}}));
  const auto refused = DecodeValue("\xc1", Limits{});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error(), "the payload is not one whole MessagePack value");
}

TEST(DecodePayload, AFloatOf32BitsIsANumber) {
  EXPECT_EQ(DecodeBytes("\xca\x3f\x00\x00\x00"s).value, Value(0.5));
}

TEST(DecodePayload, RefusesWhatIsNotMessagePack) {
  EXPECT_EQ(MistakeIn(""), "the payload is empty");
  EXPECT_EQ(MistakeIn("\xc1"), "the payload is not one whole MessagePack value");
}

TEST(DecodePayload, APayloadThatEndsEarlyIsRefusedAtEveryByte) {
  const std::string whole = Pack(RequestValue("chat", {{"prompt", "hello"}, {"stop", {"a", "b"}}}));
  for (std::size_t size = 1; size < whole.size(); ++size) {
    const DecodedPayload decoded = DecodeBytes(whole.substr(0, size));
    ASSERT_TRUE(decoded.error) << size;
    EXPECT_EQ(decoded.error->message, "the payload is not one whole MessagePack value") << size;
    EXPECT_EQ(decoded.id, "") << size;
  }
}

TEST(DecodePayload, BytesAfterTheEndAreRefusedAndTheIdIsKnown) {
  const DecodedPayload decoded = DecodeBytes(WithBody("\xc0") + "\xc0\xc0");
  ASSERT_TRUE(decoded.error);
  EXPECT_EQ(decoded.error->message, "the payload has 2 bytes after its end");
  EXPECT_EQ(decoded.id, "r-1");
}

TEST(DecodePayload, KnowsTheIdWhereverTheMistakeIs) {
  const std::string bad_text = "\xa1\xff";
  EXPECT_EQ(DecodeBytes(WithBody(bad_text)).id, "r-1");
  const std::string id_last = "\x82\xa4"s + "body" + bad_text + "\xa2id\xa3r-1";
  EXPECT_EQ(DecodeBytes(id_last).id, "r-1");
  EXPECT_TRUE(DecodeBytes(id_last).error);
}

TEST(DecodePayload, AnIdThatIsNoIdIsNotKnown) {
  const auto id_of = [](const std::string& bytes) { return DecodeBytes(bytes).id; };
  EXPECT_EQ(id_of(Pack({{"id", std::string(128, 'x')}})), std::string(128, 'x'));
  EXPECT_EQ(id_of(Pack({{"id", std::string(129, 'x')}})), "");
  EXPECT_EQ(id_of(Pack({{"id", 7}})), "");
  EXPECT_EQ(id_of(Pack({{"body", {{"id", "inner"}}}})), "");
  EXPECT_EQ(id_of(Pack(Value::array({"id", "r-1"}))), "");
  EXPECT_EQ(id_of("\x81\xa2id\xa2\xff\xff"), "");
}

TEST(DecodePayload, TextThatIsNotUtf8IsNamedByItsPath) {
  EXPECT_THAT(MistakeIn(WithBody("\x92\xa1x\x81\xa1k\xa2\xc3("s)),
              StartsWith("body[1].k: must be valid UTF-8"));
}

TEST(DecodePayload, AKeyThatIsNoTextIsNamedByItsMap) {
  EXPECT_EQ(MistakeIn(WithBody("\x81\x07\xa1x")), "body: a map's key must be a str, is an int");
  EXPECT_EQ(MistakeIn(WithBody("\x81\x90\xa1x")), "body: a map's key must be a str, is an array");
  EXPECT_EQ(MistakeIn(WithBody("\x81\x81\xa1k\xa1v\xa1x")),
            "body: a map's key must be a str, is a map");
  EXPECT_EQ(MistakeIn(WithBody("\x81\xc4\x01k\xa1x"s)),
            "body: a map's key must be a str, is a bin");
  EXPECT_EQ(MistakeIn(WithBody("\x81\xa1\xff\xa1x")), "body: a map's key must be valid UTF-8");
}

TEST(DecodePayload, AKeyThatComesTwiceIsRefusedAndNamed) {
  EXPECT_EQ(MistakeIn(WithBody("\x83\xa1k\x01\xa1m\x02\xa1k\x03")),
            "body: the key \"k\" comes twice");
  EXPECT_EQ(MistakeIn(WithBody("\x82\xa1k\x01\xa1l\x02")), "none");
}

TEST(DecodePayload, NumbersThatAreNotFiniteAreRefused) {
  EXPECT_EQ(MistakeIn(WithBody("\xcb\x7f\xf8\x00\x00\x00\x00\x00\x00"s)),
            "body: must be a finite number");
  EXPECT_EQ(MistakeIn(WithBody("\xca\xff\x80\x00\x00"s)), "body: must be a finite number");
}

TEST(DecodePayload, ExtensionTypesAreRefused) {
  EXPECT_EQ(MistakeIn(WithBody("\xd6\xff\x00\x00\x00\x00"s)),
            "body: must not be an extension type");
}

TEST(DecodePayload, NestsToTheLimitAndNoDeeper) {
  EXPECT_FALSE(DecodePayload(Pack(Nested(32)), Limits{}).error);
  const DecodedPayload deep = DecodePayload(Pack(Nested(33)), Limits{});
  ASSERT_TRUE(deep.error);
  EXPECT_THAT(deep.error->message, HasSubstr("must not nest deeper than 32 levels"));
  EXPECT_FALSE(DecodePayload(Pack(Nested(2)), Limits{16, 2}).error);
  EXPECT_TRUE(DecodePayload(Pack(Nested(3)), Limits{16, 2}).error);
}

TEST(DecodePayload, TheIdIsKnownBehindNestingThatIsTooDeep) {
  const std::string payload = "\x82\xa4"s + "body" + Pack(Nested(200)) + "\xa2id\xa3r-1";
  const DecodedPayload decoded = DecodeBytes(payload);
  ASSERT_TRUE(decoded.error);
  EXPECT_THAT(decoded.error->message, HasSubstr("must not nest deeper than 32 levels"));
  EXPECT_EQ(decoded.id, "r-1");
}

TEST(DecodePayload, AMillionLevelsAreRefusedLikeThirtyThree) {
  EXPECT_THAT(MistakeIn(std::string(1'000'000, '\x91')), HasSubstr("must not nest deeper"));
}

TEST(DecodePayload, AClaimedSizeCostsNothing) {
  EXPECT_EQ(MistakeIn(ArrayHeader(0xffffffff)), "the payload is not one whole MessagePack value");
  EXPECT_EQ(MistakeIn("\xdf\xff\xff\xff\xff"), "the payload is not one whole MessagePack value");
  EXPECT_EQ(MistakeIn("\xdb\xff\xff\xff\xff"), "the payload is not one whole MessagePack value");
}

TEST(DecodePayload, TakesAsManyElementsAsTheBoundAndNoMore) {
  const auto array = [](std::size_t size) {
    return ArrayHeader(static_cast<std::uint32_t>(size)) + std::string(size, '\xc0');
  };
  EXPECT_FALSE(DecodeBytes(array(bounds::kElements - 1)).error);
  const DecodedPayload decoded = DecodeBytes(array(bounds::kElements + 1));
  ASSERT_TRUE(decoded.error);
  EXPECT_EQ(decoded.error->type, ErrorType::kPayloadTooLarge);
  EXPECT_EQ(decoded.error->details, (Value{{"limit", bounds::kElements}}));
}

TEST(DecodePayload, ElementsAreCountedOverAllContainers) {
  const std::string row = ArrayHeader(1000) + std::string(1000, '\xc0');
  std::string payload = ArrayHeader(1100);
  for (int i = 0; i < 1100; ++i) payload += row;
  const DecodedPayload decoded = DecodeBytes(payload);
  ASSERT_TRUE(decoded.error);
  EXPECT_EQ(decoded.error->type, ErrorType::kPayloadTooLarge);
}

TEST(DecodePayload, MoreBytesThanTheLimitAreTooLargeAndTheIdIsKnown) {
  const std::string payload = Pack({{"body", std::string(100, 'x')}, {"id", "r-1"}});
  Limits limits;
  limits.payload_bytes = payload.size();
  EXPECT_FALSE(DecodePayload(payload, limits).error);
  limits.payload_bytes = payload.size() - 1;
  const DecodedPayload decoded = DecodePayload(payload, limits);
  ASSERT_TRUE(decoded.error);
  EXPECT_EQ(decoded.error->type, ErrorType::kPayloadTooLarge);
  EXPECT_EQ(decoded.error->details, (Value{{"limit", payload.size() - 1}}));
  EXPECT_EQ(decoded.id, "r-1");
}

TEST(DecodePayload, AHundredThousandKeysTakeNoQuadraticTime) {
  Value map = Value::object();
  auto& entries = static_cast<Value::object_t::Container&>(map.get_ref<Value::object_t&>());
  for (int i = 0; i < 400'000; ++i) entries.emplace_back("key-" + std::to_string(i), nullptr);
  EXPECT_FALSE(DecodeBytes(Pack(map)).error);
}

}  // namespace
}  // namespace requestrouter::ipc
