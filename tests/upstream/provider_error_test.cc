#include "daemon/upstream/provider_error.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/upstream/google_rpc.h"
#include "tests/upstream/dialect_fixture.h"

namespace requestrouter::upstream {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

struct Shape {
  const char* name;
  const char* body;
  const char* code;
  const char* type;
  const char* message;
};

void PrintTo(const Shape& shape, std::ostream* out) { *out << shape.name; }

class ErrorShapes : public ::testing::TestWithParam<Shape> {};

TEST_P(ErrorShapes, AreReadByEveryDialect) {
  for (const auto kind : {ProviderKind::kGemini, ProviderKind::kOpenAi, ProviderKind::kAnthropic}) {
    const ProviderError error = DialectOf(kind).DecodeError(GetParam().body);
    EXPECT_TRUE(error.readable);
    EXPECT_EQ(error.code, GetParam().code);
    EXPECT_EQ(error.type, GetParam().type);
    EXPECT_EQ(error.message, GetParam().message);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Providers, ErrorShapes,
    ::testing::Values(
        Shape{"gemini", R"({"error":{"code":503,"message":"Overloaded.","status":"UNAVAILABLE"}})",
              "UNAVAILABLE", "", "Overloaded."},
        Shape{"gemini_in_a_list",
              R"([{"error":{"code":400,"message":"Bad","status":"INVALID_ARGUMENT"}}])",
              "INVALID_ARGUMENT", "", "Bad"},
        Shape{
            "openai_quota",
            R"({"error":{"message":"Out of quota","type":"insufficient_quota","param":null,"code":"insufficient_quota"}})",
            "insufficient_quota", "insufficient_quota", "Out of quota"},
        Shape{
            "openai_without_code",
            R"({"error":{"message":"Bad","type":"invalid_request_error","param":"x","code":null}})",
            "invalid_request_error", "invalid_request_error", "Bad"},
        Shape{
            "anthropic",
            R"({"type":"error","error":{"type":"overloaded_error","message":"Overloaded"},"request_id":"r"})",
            "overloaded_error", "overloaded_error", "Overloaded"},
        Shape{"groq",
              R"({"error":{"message":"Rate limit","type":"tokens","code":"rate_limit_exceeded"}})",
              "rate_limit_exceeded", "tokens", "Rate limit"},
        Shape{
            "mistral",
            R"({"object":"error","message":"Invalid model: x","type":"invalid_model","param":null,"code":"1500"})",
            "1500", "invalid_model", "Invalid model: x"},
        Shape{"mistral_unauthorised", R"({"message":"Unauthorized","request_id":"r"})", "", "",
              "Unauthorized"},
        Shape{"mistral_validation", R"({"detail":[{"loc":["body"],"msg":"missing"}]})", "", "",
              R"([{"loc":["body"],"msg":"missing"}])"},
        Shape{
            "vllm",
            R"({"error":{"message":"too long","type":"BadRequestError","param":null,"code":400}})",
            "BadRequestError", "BadRequestError", "too long"},
        Shape{"ollama", R"({"error":"model 'x' not found"})", "", "", "model 'x' not found"},
        Shape{
            "openrouter",
            R"({"error":{"message":"Provider returned error","code":429,"metadata":{"raw":"slow down","provider_name":"P"}},"user_id":"u"})",
            "429", "", "Provider returned error: slow down"},
        Shape{"fastapi", R"({"detail":"Not Found"})", "", "", "Not Found"}),
    [](const auto& shape) { return std::string(shape.param.name); });

TEST(ProviderErrors, WhatIsNoErrorOfTheirsIsUnreadable) {
  for (const char* body : {"", "<html><body>502 Bad Gateway</body></html>", "{}", "[]", "null", "7",
                           "[[]]", "{\"error\":null}", "{\"error\":7}", "{\"error\""}) {
    EXPECT_FALSE(ReadProviderError(body).readable) << body;
  }
  EXPECT_THAT(ReadProviderError("<html>502 Bad Gateway</html>").message, HasSubstr("502"));
}

TEST(ProviderErrors, AreBounded) {
  const std::string flood(1'000'000, 'x');
  EXPECT_LE(ReadProviderError(flood).message.size(), 256u);
  const ProviderError error =
      ReadProviderError("{\"error\":{\"message\":\"" + flood + "\",\"code\":\"" + flood +
                        "\",\"type\":\"" + flood + "\",\"metadata\":{\"raw\":\"" + flood + "\"}}}");
  EXPECT_LE(error.message.size(), 5'000u);
  EXPECT_LE(error.code.size(), 128u);
  EXPECT_LE(error.type.size(), 128u);
}

TEST(ProviderErrors, DoNotRepeatKeys) {
  for (const char* key : {"AIzaSyA1234567890abcdefghijk", "sk-proj-abcdef123456789",
                          "gsk_abcdefghijklmn", "api_key:abcdefghijklmn", "sk-abc***wxyz"}) {
    const ProviderError error = ReadProviderError(
        std::string(R"({"error":{"message":"Incorrect API key ')") + key + R"('."}})");
    EXPECT_THAT(error.message, Not(HasSubstr(key)));
    EXPECT_THAT(error.message, HasSubstr("[redacted]"));
  }
  EXPECT_EQ(ReadProviderError(R"({"error":"task-management and sk-1 stay"})").message,
            "task-management and sk-1 stay");
}

TEST(GoogleErrorDetails, QuotaIdsReasonsAndDelayAreRead) {
  const ProviderError error =
      DialectOf(ProviderKind::kGemini).DecodeError(ReadGolden("gemini/error_day_quota.json"));
  EXPECT_EQ(error.code, "RESOURCE_EXHAUSTED");
  EXPECT_THAT(error.quota_ids, ElementsAre("GenerateRequestsPerDayPerProjectPerModel-FreeTier"));
  EXPECT_EQ(error.retry_delay, milliseconds(17'346));
  const ProviderError invalid =
      DialectOf(ProviderKind::kGemini).DecodeError(ReadGolden("gemini/error_invalid_key.json"));
  EXPECT_EQ(invalid.code, "INVALID_ARGUMENT");
  EXPECT_THAT(invalid.reasons, ElementsAre("API_KEY_INVALID"));
}

TEST(GoogleErrorDetails, AreBoundedInNumber) {
  std::string details;
  for (int i = 0; i < 100; ++i) {
    details += R"({"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"R"},)";
  }
  const ProviderError error =
      ReadProviderError(R"({"error":{"status":"X","details":[)" + details + "null]}}");
  EXPECT_EQ(error.reasons.size(), 16u);
}

TEST(Duration, IsRoundedUpToTheMillisecond) {
  EXPECT_EQ(ParseDuration("17s"), milliseconds(17'000));
  EXPECT_EQ(ParseDuration("0s"), milliseconds(0));
  EXPECT_EQ(ParseDuration("1.5s"), milliseconds(1'500));
  EXPECT_EQ(ParseDuration("0.000000001s"), milliseconds(1));
  EXPECT_EQ(ParseDuration("1.001000000s"), milliseconds(1'001));
  EXPECT_EQ(ParseDuration("1.001000001s"), milliseconds(1'002));
}

TEST(Duration, HostileOnesAreClampedOrNothing) {
  EXPECT_EQ(ParseDuration("-3.5s"), milliseconds(0));
  EXPECT_EQ(ParseDuration("99999999999999999999s"), milliseconds(366LL * 86'400'000));
  for (const char* text : {"", "s", "1", ".5s", "1.s", "1.0000000001s", "1.5.5s", "1e3s", "1 s"}) {
    EXPECT_EQ(ParseDuration(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace requestrouter::upstream
