#include "daemon/upstream/openai_encode.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/upstream/dialect_fixture.h"

namespace requestrouter::upstream {
namespace {

using ipc::Role;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pair;

TEST(OpenAiEncoding, TextWithSystemPromptAndHistory) {
  const Json body = AskOpenAi()
                        .Messages({Says(Role::kSystem, "Be brief."), Says(Role::kUser, "Hi"),
                                   Says(Role::kAssistant, "Hello."), Says(Role::kSystem, "More."),
                                   Says(Role::kUser, "Bye")})
                        .Body();
  EXPECT_EQ(body, Json::parse(R"({"model":"gpt-4o","stream":false,"temperature":0.7,
      "max_tokens":2048,"messages":[{"role":"system","content":"Be brief.\n\nMore."},
      {"role":"user","content":"Hi"},{"role":"assistant","content":"Hello."},
      {"role":"user","content":"Bye"}]})"));
}

TEST(OpenAiEncoding, AStreamIsAskedToEndWithItsUsage) {
  const Json body = AskOpenAi().Streamed().Body();
  EXPECT_EQ(body["stream"], true);
  EXPECT_EQ(body["stream_options"]["include_usage"], true);
  EXPECT_FALSE(AskOpenAi().Body().contains("stream_options"));
}

TEST(OpenAiEncoding, AServerWithoutAKeyGetsNoAuthorization) {
  Asking asking = AskOpenAi("llama3.2");
  EXPECT_THAT(asking.Request().headers, Contains(Pair("authorization", "Bearer test-secret-01")));
  asking.attempt.secret.clear();
  EXPECT_THAT(asking.Request().headers, Not(Contains(Pair("authorization", testing::_))));
}

Asking WithAllSampling(std::string model) {
  Asking asking = AskOpenAi(std::move(model));
  asking.options().temperature = 0.2;
  asking.options().top_p = 0.9;
  asking.options().stop = {"END"};
  asking.options().seed = 7;
  asking.options().max_output_tokens = 100;
  asking.options().reasoning = ipc::Reasoning{ipc::Effort::kHigh, {}};
  return asking;
}

TEST(OpenAiEncoding, EverySamplingParameterForModelsThatTakeThem) {
  Json body = WithAllSampling("gpt-4o").Body();
  body.erase("messages");
  EXPECT_EQ(body, Json::parse(R"({"model":"gpt-4o","stream":false,"temperature":0.2,"top_p":0.9,
      "stop":["END"],"seed":7,"max_tokens":100})"));
}

TEST(OpenAiEncoding, ReasoningModelsGetNoSamplingAndTheirOwnLimit) {
  for (const char* model : {"o3-mini", "o4-mini", "gpt-5.1"}) {
    Json body = WithAllSampling(model).Body();
    body.erase("messages");
    EXPECT_EQ(body, Json({{"model", model},
                          {"stream", false},
                          {"seed", 7},
                          {"max_completion_tokens", 100},
                          {"reasoning_effort", "high"}}));
  }
}

TEST(OpenAiEncoding, CompatibleServersGetSamplingAndReasoningBoth) {
  const Json body = WithAllSampling("qwen/qwen3-32b").Body();
  EXPECT_EQ(body["temperature"], 0.2);
  EXPECT_EQ(body["max_tokens"], 100);
  EXPECT_EQ(body["reasoning_effort"], "high");
}

TEST(OpenAiEncoding, ABudgetBecomesTheEffortThatCoversIt) {
  Asking asking = AskOpenAi("o3");
  const std::vector<std::pair<int, const char*>> cases = {
      {1, "low"}, {1024, "low"}, {1025, "medium"}, {8192, "medium"}, {8193, "high"}};
  for (const auto& [budget, effort] : cases) {
    asking.options().reasoning = ipc::Reasoning{{}, budget};
    EXPECT_EQ(asking.Body()["reasoning_effort"], effort) << budget;
  }
}

TEST(OpenAiEncoding, MoreStopSequencesThanItsOwnModelsTakeAreRefused) {
  Asking asking = AskOpenAi();
  asking.options().stop = {"1", "2", "3", "4"};
  EXPECT_EQ(asking.Refusal(), "");
  asking.options().stop.push_back("5");
  EXPECT_THAT(asking.Refusal(), HasSubstr("stop"));
  asking.attempt.model = "llama3.2";
  EXPECT_EQ(asking.Refusal(), "");
}

TEST(OpenAiEncoding, ImagesByBytesAndByAddress) {
  Json parts =
      AskOpenAi().Messages({Shows({"image/png", "foo", ""})}).Body()["messages"][0]["content"];
  EXPECT_EQ(parts[0], Json::parse(R"({"type":"text","text":"What is this?"})"));
  EXPECT_EQ(
      parts[1],
      Json::parse(R"({"type":"image_url","image_url":{"url":"data:image/png;base64,Zm9v"}})"));
  parts =
      AskOpenAi().Messages({Shows({"", "", "https://a.test/x"})}).Body()["messages"][0]["content"];
  EXPECT_EQ(parts[1]["image_url"]["url"], "https://a.test/x");
}

TEST(OpenAiEncoding, ImagesOutsideOfUserMessagesAreRefused) {
  for (const Role role : {Role::kSystem, Role::kAssistant, Role::kTool}) {
    ipc::Message message = Shows({"image/png", "foo", ""});
    message.role = role;
    message.tool_call_id = "a";
    EXPECT_THAT(AskOpenAi().Messages({Calls({Call("a", "f", "")}), message}).Refusal(),
                HasSubstr("content"));
  }
}

TEST(OpenAiEncoding, CallsAndTheirResults) {
  const Json messages = AskOpenAi()
                            .Messages({Says(Role::kUser, "Weather?"),
                                       Calls({Call("call_1", "weather", R"({"city": "Paris"})"),
                                              Call("call_2", "time", "")}),
                                       Result("call_1", "20"), Result("call_2", "noon")})
                            .Body()["messages"];
  EXPECT_EQ(messages[1], Json::parse(R"({"role":"assistant","content":null,"tool_calls":[
      {"id":"call_1","type":"function","function":{"name":"weather","arguments":"{\"city\": \"Paris\"}"}},
      {"id":"call_2","type":"function","function":{"name":"time","arguments":"{}"}}]})"));
  EXPECT_EQ(messages[2], Json::parse(R"({"role":"tool","tool_call_id":"call_1","content":"20"})"));
  EXPECT_EQ(messages[3]["tool_call_id"], "call_2");
}

TEST(OpenAiEncoding, IdsThatTheServerWouldRefuseAreMappedAlikeInCallAndResult) {
  const std::string long_id(41, 'x');
  const std::vector<ipc::Message> history = {Calls({Call(long_id, "f", "")}), Result(long_id, "1")};
  Json messages = AskOpenAi().Messages(history).Body()["messages"];
  EXPECT_LE(messages[1]["tool_call_id"].get<std::string>().size(), 40u);
  EXPECT_EQ(messages[0]["tool_calls"][0]["id"], messages[1]["tool_call_id"]);

  Asking mistral = AskOpenAi("mistral-large-latest");
  mistral.provider->base_url = "https://api.mistral.ai/v1";
  messages = mistral.Messages(history).Body()["messages"];
  EXPECT_EQ(messages[1]["tool_call_id"].get<std::string>().size(), 9u);
  EXPECT_EQ(messages[0]["tool_calls"][0]["id"], messages[1]["tool_call_id"]);
}

TEST(OpenAiEncoding, ToolsAndEveryToolChoice) {
  Asking asking = AskOpenAi();
  asking.options().tools = {{"read", "Reads.", ipc::Value::parse(R"({"type":"object"})")}};
  Json body = asking.Body();
  EXPECT_EQ(body["tools"], Json::parse(R"([{"type":"function","function":{"name":"read",
      "description":"Reads.","parameters":{"type":"object"}}}])"));
  EXPECT_EQ(body["tool_choice"], "auto");
  asking.options().tool_choice.mode = ipc::ToolChoice::Mode::kNone;
  EXPECT_EQ(asking.Body()["tool_choice"], "none");
  asking.options().tool_choice.mode = ipc::ToolChoice::Mode::kRequired;
  EXPECT_EQ(asking.Body()["tool_choice"], "required");
  asking.options().tool_choice = {ipc::ToolChoice::Mode::kNamed, "read"};
  EXPECT_EQ(asking.Body()["tool_choice"],
            Json::parse(R"({"type":"function","function":{"name":"read"}})"));
}

TEST(OpenAiEncoding, StructuredOutputIsStrictWhereTheSchemaAllowsIt) {
  Asking asking = AskOpenAi();
  EXPECT_FALSE(asking.Body().contains("response_format"));
  asking.options().response_format.kind = ipc::ResponseFormat::Kind::kJsonObject;
  EXPECT_EQ(asking.Body()["response_format"], Json::parse(R"({"type":"json_object"})"));
  asking.options().response_format = {
      ipc::ResponseFormat::Kind::kJsonSchema, "out",
      ipc::Value::parse(R"({"type":"object","properties":{},"additionalProperties":false})")};
  EXPECT_EQ(asking.Body()["response_format"]["json_schema"]["strict"], true);
  EXPECT_EQ(asking.Body()["response_format"]["json_schema"]["name"], "out");
  asking.options().response_format.schema = ipc::Value::parse(R"({"type":"object"})");
  EXPECT_FALSE(asking.Body()["response_format"]["json_schema"].contains("strict"));
}

TEST(OpenAiEncoding, AJsonObjectIsAskedForInWordsWhereNoMessageDoes) {
  Asking asking = AskOpenAi();
  asking.options().response_format.kind = ipc::ResponseFormat::Kind::kJsonObject;
  EXPECT_EQ(asking.Body()["messages"][0],
            Json::parse(R"({"role":"system","content":"Answer with a JSON object."})"));
  asking.Messages({Says(Role::kSystem, "Be brief."), Says(Role::kUser, "Hi")});
  EXPECT_EQ(asking.Body()["messages"][0]["content"], "Be brief.\n\nAnswer with a JSON object.");
  asking.Messages({Says(Role::kUser, "List cities as Json.")});
  EXPECT_EQ(asking.Body()["messages"].size(), 1u);
}

}  // namespace
}  // namespace requestrouter::upstream
