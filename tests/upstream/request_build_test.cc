#include "daemon/upstream/request_build.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/upstream/dialect_fixture.h"

namespace requestrouter::upstream {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pair;

std::vector<Asking> AllProviders() { return {AskGemini(), AskOpenAi(), AskAnthropic()}; }

TEST(RequestBuild, TheKeyIsInAHeaderAndNeverInTheUrlOrTheBody) {
  for (Asking asking : AllProviders()) {
    const HttpRequest request = asking.Streamed().Request();
    EXPECT_THAT(request.headers, Contains(Pair(testing::_, HasSubstr(kSecret))));
    EXPECT_THAT(request.url, Not(HasSubstr(kSecret)));
    EXPECT_THAT(request.body, Not(HasSubstr(kSecret)));
  }
}

TEST(RequestBuild, ASecretThatCouldBreakOutOfItsHeaderIsRefusedWithoutBeingQuoted) {
  for (Asking asking : AllProviders()) {
    asking.attempt.secret = "abc\r\nx-evil: 1";
    EXPECT_THAT(asking.Refusal(), HasSubstr("control characters"));
    EXPECT_THAT(asking.Refusal(), Not(HasSubstr("abc")));
  }
}

TEST(RequestBuild, TheProvidersOwnHeadersComeLastAndReplaceOnesOfTheSameName) {
  Asking asking = AskAnthropic();
  asking.provider->headers = {{"X-Team", "blue"}, {"Anthropic-Version", "2024-01-01"}};
  const HttpRequest request = asking.Request();
  EXPECT_EQ(request.headers.back(),
            (std::pair<std::string, std::string>("Anthropic-Version", "2024-01-01")));
  EXPECT_THAT(request.headers, Contains(Pair("X-Team", "blue")));
  EXPECT_THAT(request.headers, Not(Contains(Pair("anthropic-version", testing::_))));
}

TEST(RequestBuild, AModelsNameCannotLeaveItsPlaceInTheUrl) {
  EXPECT_EQ(AskGemini("../x?y#z/ä").Request().url,
            "https://provider.test/v1beta/models/..%2Fx%3Fy%23z%2F%C3%A4:generateContent");
  EXPECT_EQ(AskGemini("models/gemini-2.5-pro").Request().url,
            "https://provider.test/v1beta/models/gemini-2.5-pro:generateContent");
}

TEST(RequestBuild, EachProviderHasItsAddress) {
  EXPECT_EQ(AskGemini().Streamed().Request().url,
            "https://provider.test/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse");
  EXPECT_EQ(AskOpenAi().Request().url, "https://provider.test/chat/completions");
  EXPECT_EQ(AskAnthropic().Request().url, "https://provider.test/v1/messages");
}

TEST(RequestBuild, ProviderOptionsAreMergedDeepAndOnlyOnesOfTheProvider) {
  Asking asking = AskGemini();
  asking.options().provider_options = ipc::Value::parse(
      R"({"gemini":{"safetySettings":[{"category":"C","threshold":"BLOCK_NONE"}],
                    "generationConfig":{"topK":5,"temperature":null}},
          "openai":{"logprobs":true}})");
  const Json body = asking.Body();
  EXPECT_EQ(body["safetySettings"][0]["threshold"], "BLOCK_NONE");
  EXPECT_EQ(body["generationConfig"]["topK"], 5);
  EXPECT_TRUE(body["generationConfig"]["temperature"].is_null());
  EXPECT_EQ(body["generationConfig"]["maxOutputTokens"], 2048);
  EXPECT_FALSE(body.contains("logprobs"));
}

TEST(RequestBuild, ProviderOptionsCannotChangeTheModelNorWhetherTheAnswerIsStreamed) {
  for (Asking asking : {AskOpenAi(), AskAnthropic()}) {
    asking.options().provider_options = ipc::Value::parse(
        R"({"openai":{"stream":true,"model":"x"},"anthropic":{"stream":true,"model":"x"}})");
    EXPECT_EQ(asking.Body()["stream"], false);
    EXPECT_EQ(asking.Body()["model"], asking.attempt.model);
  }
}

TEST(RequestBuild, ProviderOptionsThatAreNoMapAreRefusedByName) {
  Asking asking = AskOpenAi();
  asking.options().provider_options = ipc::Value::parse(R"({"openai":[1]})");
  EXPECT_THAT(asking.Refusal(), HasSubstr("provider_options.openai"));
}

TEST(RequestBuild, InvalidUtf8InAPromptIsReplaced) {
  for (Asking asking : AllProviders()) {
    asking.Messages({Says(ipc::Role::kUser, "caf\xe9!")});
    EXPECT_THAT(asking.Request().body, HasSubstr("caf\xEF\xBF\xBD!"));
  }
}

TEST(RequestBuild, APromptWithoutAnythingToSayIsRefused) {
  for (Asking asking : AllProviders()) {
    asking.Messages({Says(ipc::Role::kSystem, "Be brief.")});
    EXPECT_THAT(asking.Refusal(), HasSubstr("messages")) << asking.attempt.model;
  }
}

TEST(RequestBuild, AToolResultWithoutItsCallIsRefused) {
  for (Asking asking : AllProviders()) {
    asking.Messages({Says(ipc::Role::kUser, "Hi"), Result("call_9", "4")});
    EXPECT_THAT(asking.Refusal(), HasSubstr("tool_call_id")) << asking.attempt.model;
  }
}

TEST(RequestBuild, AToolChoiceThatNoToolFulfilsIsRefused) {
  for (Asking asking : AllProviders()) {
    asking.options().tool_choice = {ipc::ToolChoice::Mode::kRequired, ""};
    EXPECT_THAT(asking.Refusal(), HasSubstr("tool_choice"));
    asking.options().tools = {{"read", "", ipc::Value()}};
    EXPECT_EQ(asking.Refusal(), "");
    asking.options().tool_choice = {ipc::ToolChoice::Mode::kNamed, "write"};
    EXPECT_THAT(asking.Refusal(), HasSubstr("tool_choice"));
  }
}

}  // namespace
}  // namespace requestrouter::upstream
