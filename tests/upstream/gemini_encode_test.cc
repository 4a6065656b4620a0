#include "daemon/upstream/gemini_encode.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/upstream/dialect_fixture.h"

namespace requestrouter::upstream {
namespace {

using ipc::Role;
using ::testing::HasSubstr;

TEST(GeminiEncoding, TextWithSystemPromptAndHistory) {
  const Json body = AskGemini()
                        .Messages({Says(Role::kSystem, "Be brief."), Says(Role::kUser, "Hi"),
                                   Says(Role::kAssistant, "Hello."), Says(Role::kUser, "Bye")})
                        .Body();
  EXPECT_EQ(body["systemInstruction"], Json::parse(R"({"parts":[{"text":"Be brief."}]})"));
  EXPECT_EQ(body["contents"], Json::parse(R"([{"role":"user","parts":[{"text":"Hi"}]},
      {"role":"model","parts":[{"text":"Hello."}]},{"role":"user","parts":[{"text":"Bye"}]}])"));
  EXPECT_EQ(body["generationConfig"], Json::parse(R"({"temperature":0.7,"maxOutputTokens":2048})"));
}

TEST(GeminiEncoding, SystemMessagesInTheMiddleAreMergedInOrder) {
  const Json body = AskGemini()
                        .Messages({Says(Role::kSystem, "One."), Says(Role::kUser, "Hi"),
                                   Says(Role::kSystem, "Two."), Says(Role::kSystem, " ")})
                        .Body();
  EXPECT_EQ(body["systemInstruction"]["parts"][0]["text"], "One.\n\nTwo.");
  EXPECT_EQ(body["contents"].size(), 1u);
}

TEST(GeminiEncoding, EveryGenerationParameter) {
  Asking asking = AskGemini();
  asking.options().temperature = 0.2;
  asking.options().top_p = 0.9;
  asking.options().max_output_tokens = 100;
  asking.options().stop = {"END", "STOP"};
  asking.options().seed = 7;
  EXPECT_EQ(asking.Body()["generationConfig"],
            Json::parse(R"({"temperature":0.2,"topP":0.9,"maxOutputTokens":100,
                            "stopSequences":["END","STOP"],"seed":7})"));
}

TEST(GeminiEncoding, MoreStopSequencesThanItTakesAreRefused) {
  Asking asking = AskGemini();
  asking.options().stop = {"1", "2", "3", "4", "5"};
  EXPECT_EQ(asking.Refusal(), "");
  asking.options().stop.push_back("6");
  EXPECT_THAT(asking.Refusal(), HasSubstr("stop"));
}

TEST(GeminiEncoding, ImagesByBytesAndByAddress) {
  Json body = AskGemini().Messages({Shows({"image/png", "foo", ""})}).Body();
  EXPECT_EQ(body["contents"][0]["parts"][1],
            Json::parse(R"({"inlineData":{"mimeType":"image/png","data":"Zm9v"}})"));
  body = AskGemini().Messages({Shows({"", "", "https://a.test/x.jpg"})}).Body();
  EXPECT_EQ(
      body["contents"][0]["parts"][1],
      Json::parse(R"({"fileData":{"mimeType":"image/jpeg","fileUri":"https://a.test/x.jpg"}})"));
}

TEST(GeminiEncoding, AnOlderModelThatFetchesNoAddressesIsNotAskedTo) {
  Asking asking = AskGemini("gemini-2.0-flash");
  EXPECT_THAT(asking.Messages({Shows({"", "", "https://a.test/x.jpg"})}).Refusal(),
              HasSubstr("image.url"));
  EXPECT_EQ(asking.Messages({Shows({"image/png", "foo", ""})}).Refusal(), "");
}

TEST(GeminiEncoding, ToolsTheirChoiceAndFullJsonSchemas) {
  Asking asking = AskGemini();
  asking.options().tools = {
      {"read", "Reads.",
       ipc::Value::parse(R"({"type":"object","properties":{"p":{"type":"string"}}})")},
      {"list", "", ipc::Value::parse(R"({"type":"object","additionalProperties":false})")},
      {"now", "", ipc::Value()}};
  asking.options().tool_choice = {ipc::ToolChoice::Mode::kNamed, "read"};
  const Json body = asking.Body();
  const Json& declarations = body["tools"][0]["functionDeclarations"];
  EXPECT_EQ(declarations[0], Json::parse(R"({"name":"read","description":"Reads.",
      "parameters":{"type":"object","properties":{"p":{"type":"string"}}}})"));
  EXPECT_EQ(declarations[1]["parametersJsonSchema"]["additionalProperties"], false);
  EXPECT_EQ(declarations[2], Json::parse(R"({"name":"now"})"));
  EXPECT_EQ(body["toolConfig"]["functionCallingConfig"],
            Json::parse(R"({"mode":"ANY","allowedFunctionNames":["read"]})"));
}

TEST(GeminiEncoding, EveryToolChoiceHasItsMode) {
  Asking asking = AskGemini();
  asking.options().tools = {{"read", "", ipc::Value()}};
  EXPECT_FALSE(asking.Body().contains("toolConfig"));
  asking.options().tool_choice.mode = ipc::ToolChoice::Mode::kNone;
  EXPECT_EQ(asking.Body()["toolConfig"]["functionCallingConfig"]["mode"], "NONE");
  asking.options().tool_choice.mode = ipc::ToolChoice::Mode::kRequired;
  EXPECT_EQ(asking.Body()["toolConfig"]["functionCallingConfig"], Json::parse(R"({"mode":"ANY"})"));
}

TEST(GeminiEncoding, ResultsOfParallelCallsShareOneContentAndCarryTheFunctionsName) {
  const Json contents =
      AskGemini()
          .Messages({Says(Role::kUser, "Weather?"),
                     Calls({Call("a", "weather", R"({"city":"Paris"})"), Call("b", "time", "")}),
                     Result("a", R"({"degrees":20})"), Result("b", "noon"),
                     Says(Role::kUser, "And?")})
          .Body()["contents"];
  EXPECT_EQ(contents[1]["parts"],
            Json::parse(
                R"([{"functionCall":{"id":"a","name":"weather","args":{"city":"Paris"}}},
          {"functionCall":{"id":"b","name":"time","args":{}}}])"));
  EXPECT_EQ(contents[2], Json::parse(
                             R"({"role":"user","parts":[
          {"functionResponse":{"id":"a","name":"weather","response":{"degrees":20}}},
          {"functionResponse":{"id":"b","name":"time","response":{"result":"noon"}}}]})"));
  EXPECT_EQ(contents[3]["parts"][0]["text"], "And?");
}

TEST(GeminiEncoding, ArgumentsThatAreNoObjectAreWrapped) {
  const Json contents = AskGemini()
                            .Messages({Calls({Call("a", "f", "{\"x\":"), Call("b", "f", "[1]")})})
                            .Body()["contents"];
  EXPECT_EQ(contents[0]["parts"][0]["functionCall"]["args"]["arguments"], "{\"x\":");
  EXPECT_EQ(contents[0]["parts"][1]["functionCall"]["args"]["arguments"], "[1]");
}

TEST(GeminiEncoding, ImagesInToolResultsOnlyWhereTheModelTakesThem) {
  ipc::Message result = Result("a", "shot");
  result.parts.emplace_back(ipc::ImagePart{"image/png", "foo", ""});
  const std::vector<ipc::Message> messages = {Calls({Call("a", "screen", "{}")}), result};
  EXPECT_THAT(AskGemini("gemini-2.5-pro").Messages(messages).Refusal(), HasSubstr("content"));
  const Json body = AskGemini("gemini-3-flash-preview").Messages(messages).Body();
  EXPECT_EQ(body["contents"][1]["parts"][0]["functionResponse"]["parts"][0]["inlineData"]["data"],
            "Zm9v");
}

TEST(GeminiEncoding, StructuredOutput) {
  Asking asking = AskGemini();
  asking.options().response_format.kind = ipc::ResponseFormat::Kind::kJsonObject;
  EXPECT_EQ(asking.Body()["generationConfig"]["responseMimeType"], "application/json");
  asking.options().response_format = {ipc::ResponseFormat::Kind::kJsonSchema, "out",
                                      ipc::Value::parse(R"({"type":"object"})")};
  EXPECT_EQ(asking.Body()["generationConfig"]["responseJsonSchema"]["type"], "object");
  asking.attempt.model = "gemini-1.5-pro";
  EXPECT_EQ(asking.Body()["generationConfig"]["responseSchema"]["type"], "object");
}

TEST(GeminiEncoding, StructuredOutputBesideToolsOnlyFromGemini3On) {
  Asking asking = AskGemini("gemini-2.5-pro");
  asking.options().response_format.kind = ipc::ResponseFormat::Kind::kJsonObject;
  asking.options().tools = {{"read", "", ipc::Value()}};
  EXPECT_THAT(asking.Refusal(), HasSubstr("response_format"));
  asking.attempt.model = "gemini-3-pro-preview";
  EXPECT_EQ(asking.Refusal(), "");
}

Json Thinking(std::string model, ipc::Reasoning reasoning) {
  Asking asking = AskGemini(std::move(model));
  asking.options().reasoning = reasoning;
  return asking.Body()["generationConfig"];
}

TEST(GeminiEncoding, ReasoningIsABudgetUntil25AndALevelAfter) {
  EXPECT_EQ(Thinking("gemini-2.5-flash", {ipc::Effort::kLow, {}})["thinkingConfig"],
            Json::parse(R"({"thinkingBudget":1024,"includeThoughts":true})"));
  EXPECT_EQ(Thinking("gemini-3-flash-preview", {ipc::Effort::kMedium, {}})["thinkingConfig"],
            Json::parse(R"({"thinkingLevel":"medium","includeThoughts":true})"));
  EXPECT_EQ(Thinking("gemini-3-pro-preview", {ipc::Effort::kMedium, {}})["thinkingConfig"],
            Json::parse(R"({"thinkingLevel":"high","includeThoughts":true})"));
  EXPECT_EQ(Thinking("gemini-3-pro-preview", {{}, 4000})["thinkingConfig"]["thinkingBudget"], 4000);
  EXPECT_FALSE(Thinking("gemini-2.0-flash", {ipc::Effort::kHigh, {}}).contains("thinkingConfig"));
}

TEST(GeminiEncoding, ABudgetLeavesRoomForTheAnswer) {
  EXPECT_EQ(Thinking("gemini-2.5-flash", {{}, 2047})["maxOutputTokens"], 2048);
  EXPECT_EQ(Thinking("gemini-2.5-flash", {{}, 2048})["maxOutputTokens"], 4096);
  EXPECT_EQ(Thinking("gemini-2.5-flash", {{}, 0})["thinkingConfig"]["thinkingBudget"], 0);
}

TEST(GeminiEncoding, CallsOfAnotherProvidersGetAPlaceholderSignatureOnTheFirstFromGemini3On) {
  const std::vector<ipc::Message> messages = {Says(Role::kUser, "Hi"),
                                              Calls({Call("a", "f", "{}"), Call("b", "f", "{}")}),
                                              Result("a", "1"), Result("b", "2")};
  Json parts = AskGemini("gemini-3-pro-preview").Messages(messages).Body()["contents"][1]["parts"];
  EXPECT_EQ(parts[0]["thoughtSignature"], "skip_thought_signature_validator");
  EXPECT_FALSE(parts[1].contains("thoughtSignature"));
  parts = AskGemini("gemini-2.5-pro").Messages(messages).Body()["contents"][1]["parts"];
  EXPECT_FALSE(parts[0].contains("thoughtSignature"));
}

}  // namespace
}  // namespace requestrouter::upstream
