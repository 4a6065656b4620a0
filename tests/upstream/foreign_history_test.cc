#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/upstream/dialect_fixture.h"

// A conversation that was begun on one provider goes on at another.
namespace requestrouter::upstream {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// A tool loop as far as its result, the answer being one that this provider gave.
std::vector<ipc::Message> LoopOf(ProviderKind kind, const std::string& golden) {
  const auto answer = DialectOf(kind).Decode(ReadGolden(golden));
  EXPECT_TRUE(answer) << golden;
  ipc::Message said = Says(ipc::Role::kAssistant, answer->content);
  said.tool_calls = answer->tool_calls;
  said.provider_state = answer->provider_state;
  std::vector<ipc::Message> messages = {Shows({"image/png", "foo", ""}), said};
  for (const ipc::ToolCall& call : answer->tool_calls) {
    messages.push_back(Result(call.id, "done"));
  }
  return messages;
}

std::vector<std::vector<ipc::Message>> AllLoops() {
  return {LoopOf(ProviderKind::kGemini, "gemini/answer_calls.json"),
          LoopOf(ProviderKind::kOpenAi, "openai/answer_calls.json"),
          LoopOf(ProviderKind::kAnthropic, "anthropic/answer_thinking_calls.json")};
}

TEST(ForeignHistory, GeminiTakesCallsResultsAndImagesOfAll) {
  for (const auto& loop : AllLoops()) {
    const Json contents = AskGemini("gemini-3-pro-preview").Messages(loop).Body()["contents"];
    ASSERT_EQ(contents.size(), 3u);
    EXPECT_TRUE(contents[0]["parts"][1].contains("inlineData"));
    std::vector<Json> calls;
    for (const Json& part : contents[1]["parts"]) {
      if (part.contains("functionCall")) calls.push_back(part);
    }
    ASSERT_EQ(calls.size(), 2u);
    EXPECT_TRUE(calls[0].contains("thoughtSignature"));
    for (int i = 0; i < 2; ++i) {
      const Json& result = contents[2]["parts"][i]["functionResponse"];
      EXPECT_EQ(result["name"], calls[i]["functionCall"]["name"]);
      EXPECT_EQ(result["id"], calls[i]["functionCall"]["id"]);
    }
  }
}

TEST(ForeignHistory, OpenAiTakesCallsResultsAndImagesOfAll) {
  for (const auto& loop : AllLoops()) {
    const HttpRequest request = AskOpenAi().Messages(loop).Request();
    const Json messages = Json::parse(request.body)["messages"];
    ASSERT_EQ(messages.size(), 4u);
    EXPECT_EQ(messages[0]["content"][1]["type"], "image_url");
    EXPECT_EQ(messages[1]["tool_calls"][0]["id"], messages[2]["tool_call_id"]);
    EXPECT_EQ(messages[1]["tool_calls"][1]["id"], messages[3]["tool_call_id"]);
    EXPECT_THAT(request.body, Not(HasSubstr("signature")));
  }
}

TEST(ForeignHistory, AnthropicTakesCallsResultsAndImagesOfAll) {
  for (const auto& loop : AllLoops()) {
    const Json messages = AskAnthropic().Messages(loop).Body()["messages"];
    ASSERT_EQ(messages.size(), 3u);
    EXPECT_EQ(messages[0]["content"][1]["type"], "image");
    std::vector<Json> calls;
    for (const Json& block : messages[1]["content"]) {
      if (block["type"] == "tool_use") calls.push_back(block);
    }
    ASSERT_EQ(calls.size(), 2u);
    EXPECT_EQ(messages[2]["content"][0]["tool_use_id"], calls[0]["id"]);
    EXPECT_EQ(messages[2]["content"][1]["tool_use_id"], calls[1]["id"]);
  }
}

TEST(ForeignHistory, StateOfAnotherProviderIsNeverSent) {
  for (const Asking& model : {AskGemini(), AskOpenAi(), AskAnthropic()}) {
    ipc::Message said = Says(ipc::Role::kAssistant, "Hello.");
    said.provider_state = ipc::Value::parse(
        R"({"provider":"elsewhere","model":"gpt-4o","blocks":[{"x":"foreign"}],
            "parts":[{"bytes":6,"thoughtSignature":"foreign"}],"reasoning_details":["foreign"]})");
    Asking asking = model;
    asking.Messages({Says(ipc::Role::kUser, "Hi"), said});
    EXPECT_THAT(asking.Request().body, Not(HasSubstr("foreign")));
    EXPECT_THAT(asking.Request().body, HasSubstr("Hello."));
  }
}

}  // namespace
}  // namespace requestrouter::upstream
