#include "daemon/upstream/anthropic_encode.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/upstream/dialect_fixture.h"

namespace requestrouter::upstream {
namespace {

using ipc::Role;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Pair;

TEST(AnthropicEncoding, TextWithSystemPromptAndHistory) {
  Asking asking = AskAnthropic().Messages(
      {Says(Role::kSystem, "Be brief."), Says(Role::kUser, "Hi"), Says(Role::kAssistant, "Hello."),
       Says(Role::kSystem, "More."), Says(Role::kUser, "Bye")});
  EXPECT_EQ(asking.Body(), Json::parse(R"({"model":"claude-sonnet-4-5","stream":false,
      "max_tokens":2048,"temperature":0.7,"system":"Be brief.\n\nMore.","messages":[
      {"role":"user","content":"Hi"},
      {"role":"assistant","content":"Hello."},
      {"role":"user","content":"Bye"}]})"));
  EXPECT_THAT(asking.Request().headers, Contains(Pair("x-api-key", kSecret)));
  EXPECT_THAT(asking.Request().headers, Contains(Pair("anthropic-version", "2023-06-01")));
}

TEST(AnthropicEncoding, MessagesOfOneRoleInSequenceAreMergedAndEmptyOnesLeftOut) {
  const Json messages = AskAnthropic()
                            .Messages({Says(Role::kUser, "One"), Says(Role::kUser, "Two"),
                                       Says(Role::kAssistant, " \n"), Says(Role::kUser, "Three"),
                                       Says(Role::kAssistant, "Yes"), Says(Role::kAssistant, "No")})
                            .Body()["messages"];
  ASSERT_EQ(messages.size(), 2u);
  EXPECT_EQ(messages[0]["content"].size(), 3u);
  EXPECT_EQ(messages[1]["content"][1]["text"], "No");
}

TEST(AnthropicEncoding, ResultsAreTheUsersAndStandFirst) {
  const Json messages =
      AskAnthropic()
          .Messages(
              {Says(Role::kUser, "Weather?"),
               Calls({Call("toolu_1", "weather", R"({"city":"Paris"})"), Call("b.2", "time", "")}),
               Result("toolu_1", "20"), Says(Role::kUser, "Well?"), Result("b.2", "")})
          .Body()["messages"];
  ASSERT_EQ(messages.size(), 3u);
  EXPECT_EQ(messages[1]["content"][0],
            Json::parse(
                R"({"type":"tool_use","id":"toolu_1","name":"weather","input":{"city":"Paris"}})"));
  EXPECT_EQ(messages[1]["content"][1]["input"], Json::object());
  EXPECT_EQ(messages[2]["role"], "user");
  EXPECT_EQ(messages[2]["content"][0],
            Json::parse(R"({"type":"tool_result","tool_use_id":"toolu_1","content":"20"})"));
  EXPECT_EQ(messages[2]["content"][1]["type"], "tool_result");
  EXPECT_EQ(messages[2]["content"][1]["tool_use_id"], messages[1]["content"][1]["id"]);
  EXPECT_EQ(messages[2]["content"][2]["text"], "Well?");
}

TEST(AnthropicEncoding, ImagesByBytesAndByAddressInMessagesAndInResults) {
  Json content =
      AskAnthropic().Messages({Shows({"image/png", "foo", ""})}).Body()["messages"][0]["content"];
  EXPECT_EQ(
      content[1],
      Json::parse(
          R"({"type":"image","source":{"type":"base64","media_type":"image/png","data":"Zm9v"}})"));
  content = AskAnthropic()
                .Messages({Shows({"", "", "https://a.test/x"})})
                .Body()["messages"][0]["content"];
  EXPECT_EQ(content[1]["source"], Json::parse(R"({"type":"url","url":"https://a.test/x"})"));

  ipc::Message result = Result("a", "shot");
  result.parts.emplace_back(ipc::ImagePart{"image/png", "foo", ""});
  const Json messages =
      AskAnthropic().Messages({Calls({Call("a", "screen", "")}), result}).Body()["messages"];
  EXPECT_EQ(messages[1]["content"][0]["content"][1]["type"], "image");
}

TEST(AnthropicEncoding, ImageTypesThatItDoesNotTakeAreRefused) {
  EXPECT_THAT(AskAnthropic().Messages({Shows({"image/heic", "foo", ""})}).Refusal(),
              HasSubstr("image.mime_type"));
}

TEST(AnthropicEncoding, SamplingFollowsWhatTheModelTakes) {
  Asking asking = AskAnthropic("claude-3-5-haiku-20241022");
  asking.options().top_p = 0.9;
  asking.options().stop = {"END"};
  asking.options().seed = 7;
  Json body = asking.Body();
  EXPECT_EQ(body["temperature"], 0.7);
  EXPECT_EQ(body["top_p"], 0.9);
  EXPECT_EQ(body["stop_sequences"], Json::parse(R"(["END"])"));
  EXPECT_FALSE(body.contains("seed"));

  asking.attempt.model = "claude-sonnet-4-5";
  body = asking.Body();
  EXPECT_FALSE(body.contains("temperature"));
  EXPECT_EQ(body["top_p"], 0.9);

  for (const char* model : {"claude-opus-4-7", "claude-sonnet-5", "claude-mythos-preview"}) {
    asking.attempt.model = model;
    body = asking.Body();
    EXPECT_FALSE(body.contains("temperature")) << model;
    EXPECT_FALSE(body.contains("top_p")) << model;
  }
}

TEST(AnthropicEncoding, ATemperatureAboveOneIsRefused) {
  Asking asking = AskAnthropic();
  asking.options().temperature = 1.0;
  EXPECT_EQ(asking.Refusal(), "");
  asking.options().temperature = 1.1;
  EXPECT_THAT(asking.Refusal(), HasSubstr("temperature"));
}

TEST(AnthropicEncoding, ToolsAndEveryToolChoice) {
  Asking asking = AskAnthropic();
  asking.options().tools = {
      {"read", "Reads.", ipc::Value::parse(R"({"type":"object","properties":{}})")},
      {"now", "", ipc::Value()}};
  Json body = asking.Body();
  EXPECT_EQ(body["tools"], Json::parse(R"([{"name":"read","description":"Reads.",
      "input_schema":{"type":"object","properties":{}}},
      {"name":"now","input_schema":{"type":"object"}}])"));
  EXPECT_FALSE(body.contains("tool_choice"));
  asking.options().tool_choice.mode = ipc::ToolChoice::Mode::kNone;
  EXPECT_EQ(asking.Body()["tool_choice"], Json::parse(R"({"type":"none"})"));
  asking.options().tool_choice.mode = ipc::ToolChoice::Mode::kRequired;
  EXPECT_EQ(asking.Body()["tool_choice"], Json::parse(R"({"type":"any"})"));
  asking.options().tool_choice = {ipc::ToolChoice::Mode::kNamed, "read"};
  EXPECT_EQ(asking.Body()["tool_choice"], Json::parse(R"({"type":"tool","name":"read"})"));
}

TEST(AnthropicEncoding, AJsonSchemaIsClosedAndAJsonObjectRefused) {
  Asking asking = AskAnthropic();
  asking.options().response_format = {ipc::ResponseFormat::Kind::kJsonSchema, "out",
                                      ipc::Value::parse(R"({"type":"object","properties":{}})")};
  EXPECT_EQ(asking.Body()["output_config"]["format"],
            Json::parse(R"({"type":"json_schema","schema":{"type":"object","properties":{},
                            "additionalProperties":false}})"));
  asking.attempt.model = "claude-3-7-sonnet-20250219";
  EXPECT_THAT(asking.Refusal(), HasSubstr("response_format"));
  asking.attempt.model = "claude-sonnet-4-5";
  asking.options().response_format.kind = ipc::ResponseFormat::Kind::kJsonObject;
  EXPECT_THAT(asking.Refusal(), HasSubstr("response_format"));
}

Asking Thinking(std::string model, ipc::Reasoning reasoning) {
  Asking asking = AskAnthropic(std::move(model));
  asking.options().reasoning = reasoning;
  return asking;
}

TEST(AnthropicEncoding, ReasoningIsABudgetUntil45) {
  Json body = Thinking("claude-sonnet-4-5", {ipc::Effort::kMedium, {}}).Body();
  EXPECT_EQ(body["thinking"], Json::parse(R"({"type":"enabled","budget_tokens":8192})"));
  EXPECT_EQ(body["max_tokens"], 2048 + 8192);
  EXPECT_FALSE(body.contains("temperature"));
  body = Thinking("claude-sonnet-4-5", {{}, 2047}).Body();
  EXPECT_EQ(body["max_tokens"], 2048);
}

TEST(AnthropicEncoding, ReasoningIsAnEffortFrom47AndEitherIn46) {
  Json body = Thinking("claude-opus-4-7", {ipc::Effort::kLow, {}}).Body();
  EXPECT_EQ(body["thinking"], Json::parse(R"({"type":"adaptive","display":"summarized"})"));
  EXPECT_EQ(body["output_config"]["effort"], "low");
  body = Thinking("claude-opus-5", {{}, 5000}).Body();
  EXPECT_EQ(body["output_config"]["effort"], "medium");
  body = Thinking("claude-opus-4-6", {ipc::Effort::kHigh, {}}).Body();
  EXPECT_EQ(body["thinking"], Json::parse(R"({"type":"adaptive"})"));
  body = Thinking("claude-opus-4-6", {{}, 5000}).Body();
  EXPECT_EQ(body["thinking"]["budget_tokens"], 5000);
}

TEST(AnthropicEncoding, ABudgetOfZeroTurnsThinkingOffAndASmallOneIsRefused) {
  EXPECT_FALSE(Thinking("claude-sonnet-4-5", {{}, 0}).Body().contains("thinking"));
  EXPECT_EQ(Thinking("claude-opus-5", {{}, 0}).Body()["thinking"]["type"], "disabled");
  EXPECT_THAT(Thinking("claude-sonnet-4-5", {{}, 1023}).Refusal(), HasSubstr("budget_tokens"));
  EXPECT_EQ(Thinking("claude-sonnet-4-5", {{}, 1024}).Refusal(), "");
}

TEST(AnthropicEncoding, WithThinkingTopPOnlyNearOneAndNoForcedTool) {
  Asking asking = Thinking("claude-sonnet-4-5", {{}, 1024});
  asking.options().top_p = 0.94;
  EXPECT_FALSE(asking.Body().contains("top_p"));
  asking.options().top_p = 0.95;
  EXPECT_EQ(asking.Body()["top_p"], 0.95);
  asking.options().tools = {{"read", "", ipc::Value()}};
  asking.options().tool_choice.mode = ipc::ToolChoice::Mode::kRequired;
  EXPECT_THAT(asking.Refusal(), HasSubstr("tool_choice"));
}

TEST(AnthropicEncoding, ThinkingAskedForInProviderOptionsLeavesTheTemperatureOutToo) {
  Asking asking = AskAnthropic();
  asking.options().provider_options =
      ipc::Value::parse(R"({"anthropic":{"thinking":{"type":"enabled","budget_tokens":1024}}})");
  EXPECT_FALSE(asking.Body().contains("temperature"));
  asking.options().provider_options =
      ipc::Value::parse(R"({"anthropic":{"thinking":{"type":"disabled"}}})");
  EXPECT_EQ(asking.Body()["temperature"], 0.7);
}

TEST(AnthropicEncoding, AToolLoopThatBeganWithoutThinkingGoesOnWithoutABudget) {
  Asking asking = Thinking("claude-sonnet-4-5", {{}, 1024});
  asking.Messages({Says(Role::kUser, "Hi"), Calls({Call("a", "f", "")}), Result("a", "1")});
  EXPECT_FALSE(asking.Body().contains("thinking"));
  EXPECT_EQ(asking.Body()["temperature"], 0.7);
  asking.Messages({Says(Role::kUser, "Hi"), Calls({Call("a", "f", "")}), Result("a", "1"),
                   Says(Role::kAssistant, "Done."), Says(Role::kUser, "More")});
  EXPECT_TRUE(asking.Body().contains("thinking"));
}

}  // namespace
}  // namespace requestrouter::upstream
