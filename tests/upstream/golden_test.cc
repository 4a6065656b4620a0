#include <gtest/gtest.h>

#include "tests/upstream/dialect_fixture.h"

// Complete requests, byte for byte as their values are: the files are what a reviewer reads.
namespace requestrouter::upstream {
namespace {

using ipc::Role;

// One prompt with every field of `chat` that reaches a provider.
void AskEverything(Asking* asking) {
  ipc::Message picture = Shows({"image/png", "\x89PNG", ""});
  picture.parts.emplace_back(ipc::ImagePart{"", "", "https://pictures.test/cat.jpg"});
  ipc::Message said = Calls(
      {Call("call_1", "get_weather", R"({"city":"Paris"})"), Call("call_2", "get_time", "{}")});
  said.parts.emplace_back(ipc::TextPart{"I look both up."});
  asking->Messages({Says(Role::kSystem, "You are terse."), picture,
                    Says(Role::kAssistant, "A cat."), Says(Role::kUser, "Weather and time?"), said,
                    Result("call_1", R"({"degrees":20})"), Result("call_2", "noon"),
                    Says(Role::kUser, "Summarise.")});
  ipc::ChatRequest& options = asking->options();
  options.temperature = 0.3;
  options.top_p = 0.97;
  options.stop = {"END"};
  options.seed = 42;
  options.max_output_tokens = 512;
  options.tools = {{"get_weather", "The weather of a city.",
                    ipc::Value::parse(R"({"type":"object","properties":{"city":{"type":"string"}},
                                          "required":["city"]})")},
                   {"get_time", "", ipc::Value()}};
  options.response_format = {
      ipc::ResponseFormat::Kind::kJsonSchema, "summary",
      ipc::Value::parse(R"({"type":"object","properties":{"text":{"type":"string"}},
                            "required":["text"],"additionalProperties":false})")};
  options.reasoning = ipc::Reasoning{ipc::Effort::kLow, {}};
  options.provider_options = ipc::Value::parse(
      R"({"gemini":{"safetySettings":[{"category":"HARM_CATEGORY_HARASSMENT",
                    "threshold":"BLOCK_ONLY_HIGH"}]},
          "openai":{"parallel_tool_calls":true},"anthropic":{"metadata":{"user_id":"u1"}}})");
  asking->Streamed();
}

ipc::Value AsValue(const HttpRequest& request) {
  ipc::Value value = ipc::Value::object();
  value["url"] = request.url;
  for (const auto& [name, text] : request.headers) value["headers"][name] = text;
  value["body"] = ipc::Value::parse(request.body);
  return value;
}

void ExpectGolden(Asking asking, const std::string& path) {
  AskEverything(&asking);
  const std::string expected = ipc::Value::parse(ReadGolden(path)).dump(2);
  EXPECT_EQ(AsValue(asking.Request()).dump(2), expected) << path;
}

TEST(GoldenRequests, Gemini) {
  ExpectGolden(AskGemini("gemini-3-flash-preview"), "gemini/request_everything.json");
}

TEST(GoldenRequests, OpenAi) {
  ExpectGolden(AskOpenAi("o4-mini"), "openai/request_everything.json");
}

TEST(GoldenRequests, OpenAiCompatible) {
  ExpectGolden(AskOpenAi("llama-3.3-70b"), "openai/request_compatible.json");
}

TEST(GoldenRequests, Anthropic) {
  ExpectGolden(AskAnthropic("claude-sonnet-4-5"), "anthropic/request_everything.json");
}

TEST(GoldenRequests, AnthropicNewest) {
  ExpectGolden(AskAnthropic("claude-opus-5"), "anthropic/request_newest.json");
}

}  // namespace
}  // namespace requestrouter::upstream
