#include "daemon/upstream/openai_decode.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/upstream/dialect_fixture.h"

namespace requestrouter::upstream {
namespace {

using ipc::FinishReason;

Answer DecodeText(const std::string& body) {
  auto answer = DialectOf(ProviderKind::kOpenAi).Decode(body);
  if (!answer) ADD_FAILURE() << answer.error();
  return answer.value_or(Answer());
}

// A whole answer with this message and finish reason.
Answer DecodeMessage(const std::string& message, const std::string& finish = "stop") {
  return DecodeText(R"({"id":"r","model":"m","choices":[{"index":0,"message":)" + message +
                    R"(,"finish_reason":")" + finish + "\"}]}");
}

std::string Chunk(const std::string& delta, const std::string& finish = "null") {
  return R"({"id":"r","model":"m","choices":[{"index":0,"delta":)" + delta +
         R"(,"finish_reason":)" + finish + "}]}";
}

Heard HearChunks(const std::vector<std::string>& events) {
  return Hear(ProviderKind::kOpenAi, events);
}

TEST(OpenAiDecoding, TextAndUsage) {
  const Answer answer = DecodeText(ReadGolden("openai/answer_text.json"));
  EXPECT_EQ(answer.content, "Hello there.");
  EXPECT_EQ(answer.finish_reason, FinishReason::kStop);
  EXPECT_TRUE(answer.tokens_known);
  EXPECT_EQ(answer.tokens, (ipc::TokenUsage{1200, 50, 1250, 1024, 40}));
  EXPECT_TRUE(answer.provider_state.is_null());
}

TEST(OpenAiDecoding, ParallelCalls) {
  const Answer answer = DecodeText(ReadGolden("openai/answer_calls.json"));
  EXPECT_EQ(answer.content, "");
  EXPECT_EQ(answer.finish_reason, FinishReason::kToolCalls);
  ASSERT_EQ(answer.tool_calls.size(), 2u);
  EXPECT_EQ(answer.tool_calls[0], Call("call_1", "get_weather", "{\n\"city\": \"Paris\"\n}"));
  EXPECT_EQ(answer.tool_calls[1], Call("call_2", "get_time", "{}"));
}

TEST(OpenAiDecoding, EveryFinishReasonIsInTheClosedList) {
  const std::string message = R"({"content":"x"})";
  EXPECT_EQ(DecodeMessage(message, "stop").finish_reason, FinishReason::kStop);
  EXPECT_EQ(DecodeMessage(message, "length").finish_reason, FinishReason::kLength);
  EXPECT_EQ(DecodeMessage(message, "model_length").finish_reason, FinishReason::kLength);
  EXPECT_EQ(DecodeMessage(message, "tool_calls").finish_reason, FinishReason::kToolCalls);
  EXPECT_EQ(DecodeMessage(message, "eos").finish_reason, FinishReason::kStop);
  const Answer filtered = DecodeMessage(message, "content_filter");
  EXPECT_EQ(filtered.finish_reason, FinishReason::kContentFilter);
  EXPECT_TRUE(filtered.blocked);
}

TEST(OpenAiDecoding, CallsUnderTheReasonStopAreCallsAllTheSame) {
  EXPECT_EQ(DecodeMessage(R"({"content":null,"tool_calls":[{"id":"a","function":{"name":"f",
                             "arguments":"{}"}}]})")
                .finish_reason,
            FinishReason::kToolCalls);
}

TEST(OpenAiDecoding, ARefusalIsABlock) {
  const Answer answer = DecodeMessage(R"({"content":null,"refusal":"I cannot."})");
  EXPECT_TRUE(answer.blocked);
  EXPECT_EQ(answer.content, "");
  EXPECT_EQ(answer.finish_reason, FinishReason::kContentFilter);
  EXPECT_EQ(answer.safety_ratings["refusal"], "I cannot.");
}

TEST(OpenAiDecoding, AzuresRatingsComeWithTheBlock) {
  const Answer answer = DecodeText(
      R"({"choices":[{"index":0,"message":{"content":""},"finish_reason":"content_filter",
          "content_filter_results":{"violence":{"filtered":true,"severity":"high"}}}]})");
  EXPECT_EQ(answer.safety_ratings["violence"]["severity"], "high");
}

ipc::TokenUsage Usage(const std::string& usage) {
  return DecodeText(R"({"choices":[{"message":{"content":"x"}}],"usage":)" + usage + "}").tokens;
}

TEST(OpenAiDecoding, UsageOfCompatibleServersIsNormalised) {
  // DeepSeek's name for cached tokens.
  EXPECT_EQ(Usage(R"({"prompt_tokens":100,"completion_tokens":5,"total_tokens":105,
                      "prompt_cache_hit_tokens":64})"),
            (ipc::TokenUsage{100, 5, 105, 64, 0}));
  // Reasoning counted beside the completion, as the total shows.
  EXPECT_EQ(Usage(R"({"prompt_tokens":30,"completion_tokens":5,"total_tokens":135,
                      "completion_tokens_details":{"reasoning_tokens":100}})"),
            (ipc::TokenUsage{30, 105, 135, 0, 100}));
  EXPECT_EQ(Usage(R"({"prompt_tokens":30,"completion_tokens":105,"total_tokens":135,
                      "completion_tokens_details":{"reasoning_tokens":100}})"),
            (ipc::TokenUsage{30, 105, 135, 0, 100}));
}

TEST(OpenAiDecoding, MistralsContentInPartsIsReadAndItsThinkingKeptApart) {
  EXPECT_EQ(DecodeMessage(R"({"content":[{"type":"thinking","thinking":[{"type":"text",
                "text":"hm"}]},{"type":"text","text":"Hel"},{"type":"text","text":"lo"}]})")
                .content,
            "Hello");
}

TEST(OpenAiDecoding, AStreamIsAssembled) {
  auto events = ReadGoldenStream("openai/stream_text.json");
  const Heard heard = HearChunks(events);
  EXPECT_EQ(TextOf(heard.deltas), "Hello there.");
  EXPECT_EQ(heard.deltas.size(), 2u);
  EXPECT_EQ(heard.answer.content, "Hello there.");
  EXPECT_EQ(heard.answer.tokens, (ipc::TokenUsage{19, 10, 29, 0, 0}));
  EXPECT_TRUE(heard.answer.tokens_known);
  EXPECT_TRUE(heard.complete);
}

TEST(OpenAiDecoding, AStreamIsCompleteWithAFinishReasonOrDoneAndNotBefore) {
  EXPECT_FALSE(HearChunks({Chunk(R"({"content":"A"})")}).complete);
  EXPECT_TRUE(HearChunks({Chunk(R"({"content":"A"})"), Chunk("{}", "\"stop\"")}).complete);
  EXPECT_TRUE(HearChunks({Chunk(R"({"content":"A"})"), "[DONE]"}).complete);
  EXPECT_FALSE(HearChunks({"[DONE]"}).complete);
  EXPECT_FALSE(HearChunks({Chunk("{}", "\"stop\"")}).answer.tokens_known);
}

TEST(OpenAiDecoding, CallsInPiecesAreAssembled) {
  const Heard heard = HearChunks(ReadGoldenStream("openai/stream_calls.json"));
  ASSERT_EQ(heard.answer.tool_calls.size(), 2u);
  EXPECT_EQ(heard.answer.tool_calls[0], Call("call_1", "get_weather", R"({"city":"Paris"})"));
  EXPECT_EQ(heard.answer.tool_calls[1], Call("call_2", "get_time", "{}"));
  ASSERT_EQ(heard.deltas.size(), 4u);
  EXPECT_EQ(heard.deltas[0].tool_call->id, "call_1");
  EXPECT_EQ(heard.deltas[0].tool_call->name, "get_weather");
  EXPECT_EQ(heard.deltas[1].tool_call->id, "");
  EXPECT_EQ(heard.deltas[1].tool_call->arguments, R"({"city":)");
  EXPECT_EQ(heard.deltas[3].tool_call->index, 1);
}

std::vector<ipc::ToolCall> CallsOf(const std::vector<std::string>& tool_calls) {
  std::vector<std::string> events;
  for (const std::string& calls : tool_calls) {
    events.push_back(Chunk(R"({"tool_calls":[)" + calls + "]}"));
  }
  return HearChunks(events).answer.tool_calls;
}

TEST(OpenAiDecoding, CallsNumberedFromOneOrAllZeroOrNotAtAllAreToldApart) {
  auto calls = CallsOf({R"({"index":1,"id":"a","function":{"name":"f","arguments":"{"}})",
                        R"({"index":1,"function":{"arguments":"}"}})"});
  ASSERT_EQ(calls.size(), 1u);
  EXPECT_EQ(calls[0].arguments, "{}");

  calls = CallsOf({R"({"index":0,"id":"a","function":{"name":"f","arguments":"{}"}})",
                   R"({"index":0,"id":"b","function":{"name":"g","arguments":"{"}})",
                   R"({"index":0,"function":{"arguments":"}"}})"});
  ASSERT_EQ(calls.size(), 2u);
  EXPECT_EQ(calls[1], Call("b", "g", "{}"));

  calls = CallsOf({R"({"id":"a","function":{"name":"f","arguments":{"x":1}}},
                      {"id":"b","function":{"name":"g","arguments":""}})"});
  ASSERT_EQ(calls.size(), 2u);
  EXPECT_EQ(calls[0], Call("a", "f", R"({"x":1})"));
  EXPECT_EQ(calls[1], Call("b", "g", "{}"));
}

TEST(OpenAiDecoding, ACallWithoutAnIdGetsOne) {
  const auto calls = CallsOf({R"({"index":0,"function":{"name":"f","arguments":"{}"}},
                                 {"index":1,"function":{"name":"f","arguments":"{}"}})"});
  ASSERT_EQ(calls.size(), 2u);
  EXPECT_FALSE(calls[0].id.empty());
  EXPECT_NE(calls[0].id, calls[1].id);
}

TEST(OpenAiDecoding, ReasoningIsReadUnderEitherNameOnce) {
  EXPECT_EQ(
      ReasoningOf(HearChunks({Chunk(R"({"reasoning_content":"a"})"), Chunk(R"({"reasoning":"b"})"),
                              Chunk(R"({"reasoning":"c","reasoning_content":"c"})")})
                      .deltas),
      "abc");
}

Json NextTurn(const Answer& answer, const std::string& model) {
  ipc::Message said = Says(ipc::Role::kAssistant, answer.content);
  said.tool_calls = answer.tool_calls;
  said.provider_state = answer.provider_state;
  return AskOpenAi(model).Messages({Says(ipc::Role::kUser, "Hi"), said}).Body()["messages"][1];
}

TEST(OpenAiDecoding, ReasoningThatTheServerWantsBackReturnsToTheSameModelOnly) {
  const Answer calls = DecodeMessage(
      R"({"content":"","reasoning_content":"hm","tool_calls":[{"id":"a","function":{"name":"f",
          "arguments":"{}"},"extra_content":{"google":{"thought_signature":"s"}}}]})");
  EXPECT_EQ(NextTurn(calls, "m")["reasoning_content"], "hm");
  EXPECT_EQ(NextTurn(calls, "m")["tool_calls"][0]["extra_content"]["google"]["thought_signature"],
            "s");
  EXPECT_FALSE(NextTurn(calls, "other").contains("reasoning_content"));
  EXPECT_FALSE(NextTurn(calls, "other")["tool_calls"][0].contains("extra_content"));

  const Answer details =
      DecodeMessage(R"({"content":"x","reasoning":"hm","reasoning_details":[{"type":"t"}]})");
  EXPECT_EQ(NextTurn(details, "m")["reasoning_details"], Json::parse(R"([{"type":"t"}])"));

  const Answer text = DecodeMessage(R"({"content":"x","reasoning_content":"hm"})");
  EXPECT_FALSE(NextTurn(text, "m").contains("reasoning_content"));
}

TEST(OpenAiDecoding, ErrorsInMidStreamAreReportedInEveryForm) {
  for (const char* event :
       {R"({"error":{"message":"gone","type":"server_error"}})",
        R"({"object":"error","message":"gone"})", R"({"error":"gone"})",
        R"({"choices":[{"index":0,"delta":{"content":""},"finish_reason":"error",
                                "error":{"code":502,"message":"gone"}}]})"}) {
    const Heard heard = HearChunks({Chunk(R"({"content":"A"})"), event, Chunk("{}", "\"stop\"")});
    EXPECT_EQ(heard.error, "gone") << event;
    EXPECT_FALSE(heard.complete);
    EXPECT_EQ(heard.answer.content, "A");
  }
}

TEST(OpenAiDecoding, OnlyTheFirstChoiceCounts) {
  EXPECT_EQ(HearChunks({R"({"choices":[{"index":1,"delta":{"content":"B"}},
                             {"index":0,"delta":{"content":"A"}}]})"})
                .answer.content,
            "A");
}

TEST(OpenAiDecoding, UsageBesideXGroqCounts) {
  const Heard heard = HearChunks({R"({"choices":[{"index":0,"delta":{},"finish_reason":"stop"}],
      "x_groq":{"usage":{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7}}})"});
  EXPECT_TRUE(heard.answer.tokens_known);
  EXPECT_EQ(heard.answer.tokens.total, 7);
}

TEST(OpenAiDecoding, WhatIsNoAnswerFails) {
  const Dialect& openai = DialectOf(ProviderKind::kOpenAi);
  for (const char* body : {"", "<html>", "[]", "{}", "{\"choices\":[]}", "{\"choices\":[7]}",
                           R"({"choices":[{"index":0}]})",
                           R"({"choices":[{"index":0,"text":"old","finish_reason":"stop"}]})",
                           R"({"choices":[{"message":{"content":7}}]})",
                           R"({"choices":[{"message":{"tool_calls":[{"id":"a"}]}}]})",
                           R"({"error":{"message":"no"}})"}) {
    EXPECT_FALSE(openai.Decode(body)) << body;
  }
}

}  // namespace
}  // namespace requestrouter::upstream
