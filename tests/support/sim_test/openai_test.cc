#include "tests/support/sim_test/fixture.h"

namespace requestrouter::sim {
namespace {

using OpenAi = ServiceTest;

Json ToolNamed(const char* name) {
  return {
      {"type", "function"},
      {"function",
       {{"name", name},
        {"parameters", {{"type", "object"}, {"properties", {{"city", {{"type", "string"}}}}}}}}}};
}

TEST_F(OpenAi, AnswersInTheShapeOfAChatCompletion) {
  const Json body = Body(Ask(OpenAiRequest(OpenAiText("hello"))));
  EXPECT_EQ(body["object"], "chat.completion");
  EXPECT_EQ(body["choices"][0]["message"]["content"], "You said: hello; this is turn 1.");
  EXPECT_EQ(body["choices"][0]["finish_reason"], "stop");
  EXPECT_EQ(body["usage"]["prompt_tokens"], 2);
  EXPECT_EQ(body["usage"]["completion_tokens"], 8);
}

TEST_F(OpenAi, StreamsUntilDoneAndSaysUsageOnlyWhereItIsAskedFor) {
  Json body = OpenAiText("hello");
  body["stream"] = true;
  auto events = Data(Ask(OpenAiRequest(body)));
  EXPECT_EQ(events.back(), "[DONE]");
  EXPECT_FALSE(Json::parse(events[events.size() - 2]).contains("usage"));
  body["stream_options"] = {{"include_usage", true}};
  events = Data(Ask(OpenAiRequest(body)));
  const Json last = Json::parse(events[events.size() - 2]);
  EXPECT_TRUE(last["choices"].empty());
  EXPECT_EQ(last["usage"]["total_tokens"], 10);
  std::string text;
  for (std::size_t i = 0; i + 2 < events.size(); ++i) {
    const Json chunk = Json::parse(events[i]);
    EXPECT_TRUE(chunk["usage"].is_null());
    text += chunk["choices"][0]["delta"].value("content", "");
  }
  EXPECT_EQ(text, "You said: hello; this is turn 1.");
}

TEST_F(OpenAi, SaysA429WithDelaysAndWhatIsLeft) {
  Use({"k:rpm=1,tpm=1000"});
  const Reply first = Ask(OpenAiRequest(OpenAiText("one")));
  EXPECT_EQ(Header(first, "x-ratelimit-limit-requests"), "1");
  EXPECT_EQ(Header(first, "x-ratelimit-remaining-requests"), "0");
  EXPECT_EQ(Header(first, "x-ratelimit-reset-requests"), "1m0s");
  EXPECT_EQ(Header(first, "x-ratelimit-remaining-tokens"), "999");
  now_ += Millis(1500);
  const Reply reply = Ask(OpenAiRequest(OpenAiText("two")));
  EXPECT_EQ(reply.response.status, 429);
  EXPECT_EQ(Body(reply)["error"]["code"], "rate_limit_exceeded");
  EXPECT_EQ(Header(reply, "retry-after"), "59");
  EXPECT_EQ(Header(reply, "retry-after-ms"), "58500");
  EXPECT_EQ(Header(reply, "x-ratelimit-reset-requests"), "58.5s");
}

TEST_F(OpenAi, WhatMayComeBackCountsAgainstTheTokensAMinute) {
  Use({"k:tpm=100"});
  Json body = OpenAiText("four");
  body["max_tokens"] = 99;
  EXPECT_EQ(Ask(OpenAiRequest(body)).response.status, 200);
  const Reply reply = Ask(OpenAiRequest(body));
  EXPECT_EQ(reply.response.status, 429);
  EXPECT_EQ(Body(reply)["error"]["type"], "tokens");
}

TEST_F(OpenAi, TellsSpentCreditWrongKeysAndUnknownModelsApart) {
  Use({"k:models=gpt-4o"});
  Control({{"no_credit", "k"}});
  const Reply broke = Ask(OpenAiRequest(OpenAiText("x")));
  EXPECT_EQ(broke.response.status, 429);
  EXPECT_EQ(Body(broke)["error"]["code"], "insufficient_quota");
  EXPECT_EQ(Header(broke, "retry-after"), "");
  Control({{"credit", "k"}});
  EXPECT_EQ(Ask(OpenAiRequest(OpenAiText("x"))).response.status, 200);
  const Reply wrong = Ask(OpenAiRequest(OpenAiText("x"), "other"));
  EXPECT_EQ(wrong.response.status, 401);
  EXPECT_EQ(Body(wrong)["error"]["code"], "invalid_api_key");
  Json body = OpenAiText("x");
  body["model"] = "gpt-9";
  const Reply unknown = Ask(OpenAiRequest(body));
  EXPECT_EQ(unknown.response.status, 404);
  EXPECT_EQ(Body(unknown)["error"]["code"], "model_not_found");
}

TEST_F(OpenAi, RefusesWhatTheProviderRefuses) {
  const auto error = [&](const Json& changes) {
    Json body = OpenAiText("x");
    body.update(changes);
    const Reply reply = Ask(OpenAiRequest(body));
    EXPECT_EQ(reply.response.status, 400) << Dump(changes);
    return Body(reply)["error"];
  };
  EXPECT_EQ(error({{"messages", nullptr}})["code"], "missing_required_parameter");
  EXPECT_EQ(error({{"messages", Json::array({{{"role", "robot"}, {"content", "x"}}})}})["param"],
            "messages[0].role");
  EXPECT_EQ(error({{"nonsense", 1}})["message"],
            "Unrecognized request argument supplied: nonsense");
  EXPECT_EQ(error({{"model", "gpt-5-mini"}, {"max_tokens", 5}})["code"], "unsupported_parameter");
  EXPECT_EQ(error({{"model", "gpt-5-mini"}, {"temperature", 0.7}})["code"], "unsupported_value");
  EXPECT_EQ(error({{"response_format", {{"type", "json_object"}}}})["param"], "messages");
  EXPECT_EQ(
      error(
          {{"messages",
            Json::array({{{"role", "tool"}, {"content", "x"}, {"tool_call_id", "c"}}})}})["param"],
      "messages[0].role");
  EXPECT_EQ(error({{"messages", 7}})["type"], "invalid_request_error");
}

TEST_F(OpenAi, CallsToolsAndSaysWhatTheyAnswered) {
  Json body = OpenAiText("please call weather");
  body["tools"] = Json::array({ToolNamed("weather")});
  const Json message = Body(Ask(OpenAiRequest(body)))["choices"][0]["message"];
  EXPECT_TRUE(message["content"].is_null());
  EXPECT_EQ(message["tool_calls"][0]["function"]["arguments"], R"({"city":"city"})");
  body["messages"].push_back(message);
  EXPECT_EQ(Ask(OpenAiRequest(body)).response.status, 400);  // its result is missing
  body["messages"].push_back(
      {{"role", "tool"}, {"tool_call_id", message["tool_calls"][0]["id"]}, {"content", "rain"}});
  EXPECT_EQ(Body(Ask(OpenAiRequest(body)))["choices"][0]["message"]["content"],
            "The tool said: rain.");
}

TEST_F(OpenAi, StreamsAToolCallNameFirstThenItsArguments) {
  Json body = OpenAiText("x");
  body["tools"] = Json::array({ToolNamed("weather")});
  body["tool_choice"] = "required";
  body["stream"] = true;
  std::string arguments;
  for (const std::string& event : Data(Ask(OpenAiRequest(body)))) {
    if (event == "[DONE]") continue;
    const Json delta = Json::parse(event)["choices"][0]["delta"];
    if (delta.contains("tool_calls")) arguments += delta["tool_calls"][0]["function"]["arguments"];
  }
  EXPECT_EQ(arguments, R"({"city":"city"})");
}

}  // namespace
}  // namespace requestrouter::sim
