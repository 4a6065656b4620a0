#include "daemon/upstream/anthropic_decode.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/upstream/dialect_fixture.h"

namespace requestrouter::upstream {
namespace {

using ipc::FinishReason;

Answer DecodeText(const std::string& body) {
  auto answer = DialectOf(ProviderKind::kAnthropic).Decode(body);
  if (!answer) ADD_FAILURE() << answer.error();
  return answer.value_or(Answer());
}

TEST(AnthropicDecoding, TextAndUsageWithTheCacheCountedAsInput) {
  const Answer answer = DecodeText(ReadGolden("anthropic/answer_text.json"));
  EXPECT_EQ(answer.content, "Hello there.");
  EXPECT_EQ(answer.finish_reason, FinishReason::kStop);
  EXPECT_TRUE(answer.tokens_known);
  EXPECT_EQ(answer.tokens, (ipc::TokenUsage{1320, 12, 1332, 1000, 0}));
  EXPECT_TRUE(answer.provider_state.is_null());
}

TEST(AnthropicDecoding, ThinkingAndParallelCalls) {
  const Answer answer = DecodeText(ReadGolden("anthropic/answer_thinking_calls.json"));
  EXPECT_EQ(answer.content, "I look it up.");
  EXPECT_EQ(answer.finish_reason, FinishReason::kToolCalls);
  EXPECT_EQ(answer.tokens.reasoning, 60);
  ASSERT_EQ(answer.tool_calls.size(), 2u);
  EXPECT_EQ(answer.tool_calls[0], Call("toolu_01A", "get_weather", R"({"city":"Paris"})"));
  EXPECT_EQ(answer.tool_calls[1], Call("toolu_01B", "get_time", "{}"));
}

Json NextTurn(const Answer& answer) {
  ipc::Message said = Says(ipc::Role::kAssistant, answer.content);
  said.tool_calls = answer.tool_calls;
  said.provider_state = answer.provider_state;
  return AskAnthropic()
      .Messages({Says(ipc::Role::kUser, "Hi"), said})
      .Body()["messages"][1]["content"];
}

TEST(AnthropicDecoding, TheBlocksReturnAsTheyCameSignaturesIncluded) {
  const std::string recorded = ReadGolden("anthropic/answer_thinking_calls.json");
  EXPECT_EQ(NextTurn(DecodeText(recorded)), Json::parse(recorded)["content"]);
}

TEST(AnthropicDecoding, InterleavedThinkingKeepsItsPlace) {
  const std::string content =
      R"([{"type":"thinking","thinking":"a","signature":"1"},{"type":"text","text":"one "},
          {"type":"thinking","thinking":"b","signature":"2"},{"type":"text","text":"two"},
          {"type":"tool_use","id":"t1","name":"f","input":{"x":1}},
          {"type":"thinking","thinking":"","signature":"3"},
          {"type":"tool_use","id":"t2","name":"g","input":{}}])";
  const Answer answer = DecodeText(R"({"content":)" + content + R"(,"stop_reason":"tool_use"})");
  EXPECT_EQ(answer.content, "one two");
  EXPECT_EQ(NextTurn(answer), Json::parse(content));
}

TEST(AnthropicDecoding, AStateThatDoesNotFitTheMessageAnyMoreIsIgnored) {
  Answer answer = DecodeText(ReadGolden("anthropic/answer_thinking_calls.json"));
  answer.content = "Edited.";
  answer.tool_calls.pop_back();
  const Json content = NextTurn(answer);
  ASSERT_EQ(content.size(), 2u);
  EXPECT_EQ(content[0]["text"], "Edited.");
  EXPECT_EQ(content[1]["type"], "tool_use");
}

TEST(AnthropicDecoding, AStreamIsAssembledLikeAWholeAnswer) {
  auto events = ReadGoldenStream("anthropic/stream_thinking_calls.json");
  const Heard heard = Hear(ProviderKind::kAnthropic, events);
  EXPECT_EQ(TextOf(heard.deltas), "Checking now.");
  EXPECT_EQ(ReasoningOf(heard.deltas), "Let me see.");
  EXPECT_EQ(heard.answer.content, "Checking now.");
  EXPECT_EQ(heard.answer.finish_reason, FinishReason::kToolCalls);
  EXPECT_EQ(heard.answer.tokens, (ipc::TokenUsage{100, 89, 189, 75, 0}));
  EXPECT_TRUE(heard.answer.tokens_known);
  ASSERT_EQ(heard.answer.tool_calls.size(), 2u);
  EXPECT_EQ(heard.answer.tool_calls[0], Call("toolu_1", "get_weather", R"({"city": "Paris"})"));
  EXPECT_EQ(heard.answer.tool_calls[1], Call("toolu_2", "get_time", "{}"));
  EXPECT_TRUE(heard.complete);
  EXPECT_EQ(NextTurn(heard.answer)[0],
            Json::parse(R"({"type":"thinking","thinking":"Let me see.","signature":"EqQB"})"));
  events.pop_back();
  EXPECT_FALSE(Hear(ProviderKind::kAnthropic, events).complete);
}

TEST(AnthropicDecoding, ACutStreamHasItsInputTokensButNoKnownUsage) {
  auto events = ReadGoldenStream("anthropic/stream_thinking_calls.json");
  events.resize(10);
  const Heard heard = Hear(ProviderKind::kAnthropic, events);
  EXPECT_FALSE(heard.complete);
  EXPECT_EQ(heard.answer.content, "Checking now.");
  EXPECT_EQ(heard.answer.tokens.input, 100);
  EXPECT_FALSE(heard.answer.tokens_known);
}

Answer Stopped(const std::string& reason) {
  return DecodeText(R"({"content":[],"stop_reason":")" + reason + "\"}");
}

TEST(AnthropicDecoding, EveryStopReasonIsInTheClosedList) {
  EXPECT_EQ(Stopped("end_turn").finish_reason, FinishReason::kStop);
  EXPECT_EQ(Stopped("stop_sequence").finish_reason, FinishReason::kStop);
  EXPECT_EQ(Stopped("pause_turn").finish_reason, FinishReason::kStop);
  EXPECT_EQ(Stopped("max_tokens").finish_reason, FinishReason::kLength);
  EXPECT_EQ(Stopped("model_context_window_exceeded").finish_reason, FinishReason::kLength);
  EXPECT_EQ(Stopped("tool_use").finish_reason, FinishReason::kToolCalls);
}

TEST(AnthropicDecoding, ARefusalIsABlockWithItsDetails) {
  const Answer answer = DecodeText(
      R"({"content":[],"stop_reason":"refusal","stop_details":{"type":"refusal","category":"cyber"}})");
  EXPECT_TRUE(answer.blocked);
  EXPECT_EQ(answer.finish_reason, FinishReason::kContentFilter);
  EXPECT_EQ(answer.safety_ratings["category"], "cyber");
}

TEST(AnthropicDecoding, AnErrorInMidStreamIsReported) {
  auto events = ReadGoldenStream("anthropic/stream_thinking_calls.json");
  events.resize(10);
  events.push_back(
      R"({"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}})");
  events.push_back(R"({"type":"message_stop"})");
  const Heard heard = Hear(ProviderKind::kAnthropic, events);
  EXPECT_EQ(heard.error, "Overloaded");
  EXPECT_FALSE(heard.complete);
}

TEST(AnthropicDecoding, UnknownEventsBlocksAndDeltasAreSkipped) {
  const Heard heard = Hear(
      ProviderKind::kAnthropic,
      {R"({"type":"something_new"})",
       R"({"type":"content_block_start","index":0,"content_block":{"type":"server_tool_use"}})",
       R"({"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"{"}})",
       R"({"type":"content_block_delta","index":5,"delta":{"type":"text_delta","text":"lost"}})",
       R"({"type":"content_block_start","index":1,"content_block":{"type":"text","text":""}})",
       R"({"type":"content_block_delta","index":1,"delta":{"type":"citations_delta"}})",
       R"({"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"A"}})",
       R"({"type":"message_stop"})"});
  EXPECT_EQ(heard.malformed, "");
  EXPECT_EQ(heard.answer.content, "A");
  EXPECT_TRUE(heard.answer.tool_calls.empty());
}

TEST(AnthropicDecoding, WhatIsNoAnswerFails) {
  const Dialect& anthropic = DialectOf(ProviderKind::kAnthropic);
  for (const char* body : {"", "<html>", "[]", "{}", "{\"content\":\"x\"}",
                           R"({"type":"error","error":{"type":"api_error","message":"no"}})"}) {
    EXPECT_FALSE(anthropic.Decode(body)) << body;
  }
  EXPECT_FALSE(Hear(ProviderKind::kAnthropic, {"{}"}).malformed.empty());
}

}  // namespace
}  // namespace requestrouter::upstream
