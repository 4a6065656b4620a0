#include "daemon/upstream/gemini_decode.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/upstream/dialect_fixture.h"

namespace requestrouter::upstream {
namespace {

using ipc::FinishReason;
using ::testing::HasSubstr;

Answer DecodeFile(const std::string& path) {
  auto answer = DialectOf(ProviderKind::kGemini).Decode(ReadGolden(path));
  if (!answer) ADD_FAILURE() << answer.error();
  return answer.value_or(Answer());
}

TEST(GeminiDecoding, TextThoughtsAndUsage) {
  const Answer answer = DecodeFile("gemini/answer_text.json");
  EXPECT_EQ(answer.content, "Hello there.");
  EXPECT_EQ(answer.finish_reason, FinishReason::kStop);
  EXPECT_TRUE(answer.tokens_known);
  EXPECT_EQ(answer.tokens, (ipc::TokenUsage{120, 48, 168, 100, 41}));
  EXPECT_FALSE(answer.blocked);
}

TEST(GeminiDecoding, ParallelCallsKeepTheirIdsOrGetOnes) {
  const Answer answer = DecodeFile("gemini/answer_calls.json");
  EXPECT_EQ(answer.content, "I look both up.");
  EXPECT_EQ(answer.finish_reason, FinishReason::kToolCalls);
  ASSERT_EQ(answer.tool_calls.size(), 2u);
  EXPECT_EQ(answer.tool_calls[0].name, "get_weather");
  EXPECT_EQ(answer.tool_calls[0].arguments, R"({"city":"Paris","at":{"hour":9}})");
  EXPECT_FALSE(answer.tool_calls[0].id.empty());
  EXPECT_EQ(answer.tool_calls[0].provider_state["thoughtSignature"], "c2lnLTE=");
  EXPECT_EQ(answer.tool_calls[1].id, "fc-2");
  EXPECT_TRUE(answer.tool_calls[1].provider_state.is_null());
}

TEST(GeminiDecoding, ABlockedPromptIsABlockWithRatingsAndWithoutContent) {
  const Answer answer = DecodeFile("gemini/answer_blocked_prompt.json");
  EXPECT_TRUE(answer.blocked);
  EXPECT_EQ(answer.content, "");
  EXPECT_EQ(answer.finish_reason, FinishReason::kContentFilter);
  EXPECT_EQ(answer.safety_ratings[0]["probability"], "HIGH");
}

Heard HearFinish(const std::string& reason, const std::string& parts = R"([{"text":"Some"}])") {
  return Hear(ProviderKind::kGemini,
              {R"({"candidates":[{"content":{"parts":)" + parts + R"(},"finishReason":")" + reason +
               R"(","safetyRatings":[{"category":"C"}]}]})"});
}

TEST(GeminiDecoding, EveryFinishReasonIsInTheClosedList) {
  EXPECT_EQ(HearFinish("STOP").answer.finish_reason, FinishReason::kStop);
  EXPECT_EQ(HearFinish("MAX_TOKENS").answer.finish_reason, FinishReason::kLength);
  EXPECT_EQ(HearFinish("OTHER").answer.finish_reason, FinishReason::kStop);
  EXPECT_EQ(HearFinish("SOMETHING_NEW").answer.finish_reason, FinishReason::kStop);
  for (const char* reason : {"SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII"}) {
    const Heard heard = HearFinish(reason);
    EXPECT_EQ(heard.answer.finish_reason, FinishReason::kContentFilter) << reason;
    EXPECT_TRUE(heard.answer.blocked);
    EXPECT_TRUE(heard.complete);
    EXPECT_EQ(heard.answer.content, "Some");
    EXPECT_EQ(heard.answer.safety_ratings[0]["category"], "C");
  }
}

TEST(GeminiDecoding, AGarbledCallIsNoAnswerUnlessSomethingElseWasSaid) {
  EXPECT_THAT(HearFinish("MALFORMED_FUNCTION_CALL", "[]").malformed,
              HasSubstr("MALFORMED_FUNCTION_CALL"));
  EXPECT_TRUE(HearFinish("MALFORMED_FUNCTION_CALL").complete);
}

TEST(GeminiDecoding, AStreamIsAssembledAndCompleteAtItsFinishReason) {
  auto events = ReadGoldenStream("gemini/stream_text.json");
  const Heard heard = Hear(ProviderKind::kGemini, events);
  EXPECT_EQ(TextOf(heard.deltas), "Once upon a time");
  EXPECT_EQ(ReasoningOf(heard.deltas), "Thinking about it.");
  EXPECT_EQ(heard.answer.content, "Once upon a time");
  EXPECT_EQ(heard.answer.finish_reason, FinishReason::kLength);
  EXPECT_EQ(heard.answer.tokens, (ipc::TokenUsage{11, 24, 35, 0, 19}));
  EXPECT_TRUE(heard.complete);
  events.pop_back();
  EXPECT_FALSE(Hear(ProviderKind::kGemini, events).complete);
}

TEST(GeminiDecoding, ACallInAStreamIsOneDelta) {
  const Heard heard =
      Hear(ProviderKind::kGemini,
           {R"({"candidates":[{"content":{"parts":[{"functionCall":{"name":"f","args":{"a":1}}}]},
           "finishReason":"STOP"}],"responseId":"r"})"});
  ASSERT_EQ(heard.deltas.size(), 1u);
  ASSERT_TRUE(heard.deltas[0].tool_call);
  EXPECT_EQ(heard.deltas[0].tool_call->name, "f");
  EXPECT_EQ(heard.deltas[0].tool_call->arguments, R"({"a":1})");
  EXPECT_EQ(heard.deltas[0].tool_call->id, heard.answer.tool_calls[0].id);
}

TEST(GeminiDecoding, AnErrorInMidStreamIsReported) {
  const Heard heard = Hear(ProviderKind::kGemini,
                           {R"({"candidates":[{"content":{"parts":[{"text":"A"}]}}]})",
                            R"({"error":{"code":503,"message":"gone","status":"UNAVAILABLE"}})",
                            R"({"candidates":[{"content":{"parts":[{"text":"B"}]}}]})"});
  EXPECT_EQ(heard.error, "gone");
  EXPECT_FALSE(heard.complete);
  EXPECT_EQ(heard.answer.content, "A");
}

TEST(GeminiDecoding, OnlyTheFirstCandidateCounts) {
  const Heard heard = Hear(ProviderKind::kGemini,
                           {R"({"candidates":[{"index":1,"content":{"parts":[{"text":"B"}]}}]})",
                            R"({"candidates":[{"index":0,"content":{"parts":[{"text":"A"}]}}]})"});
  EXPECT_EQ(heard.answer.content, "A");
}

TEST(GeminiDecoding, UnknownPartsAreSkippedAndUsageMayBeAbsent) {
  const Heard heard =
      Hear(ProviderKind::kGemini,
           {R"({"candidates":[{"content":{"parts":[{"executableCode":{"code":"x"}},{"text":"A"}]},
           "finishReason":"STOP"}]})"});
  EXPECT_EQ(heard.answer.content, "A");
  EXPECT_FALSE(heard.answer.tokens_known);
}

TEST(GeminiDecoding, SignaturesReturnToThePartThatTheyCameWith) {
  for (const char* path : {"gemini/answer_text.json", "gemini/answer_calls.json"}) {
    Answer answer = DecodeFile(path);
    ipc::Message said = Says(ipc::Role::kAssistant, answer.content);
    said.tool_calls = answer.tool_calls;
    said.provider_state = answer.provider_state;
    const Json parts = AskGemini("gemini-3-pro-preview")
                           .Messages({Says(ipc::Role::kUser, "Hi"), said})
                           .Body()["contents"][1]["parts"];
    if (answer.tool_calls.empty()) {
      EXPECT_EQ(parts,
                Json::parse(R"([{"text":"Hello there.","thoughtSignature":"c2lnbmF0dXJl"}])"));
    } else {
      EXPECT_EQ(parts[0], Json::parse(R"({"text":"I look both up."})"));
      EXPECT_EQ(parts[1]["thoughtSignature"], "c2lnLTE=");
      EXPECT_FALSE(parts[2].contains("thoughtSignature"));
    }
  }
}

TEST(GeminiDecoding, ASignatureAtTheEndOfAStreamSignsTheTextBeforeIt) {
  Answer answer = Hear(ProviderKind::kGemini, ReadGoldenStream("gemini/stream_text.json")).answer;
  ipc::Message said = Says(ipc::Role::kAssistant, answer.content);
  said.provider_state = answer.provider_state;
  const Json parts = AskGemini().Messages({said}).Body()["contents"][0]["parts"];
  EXPECT_EQ(parts, Json::parse(R"([{"text":"Once upon a time","thoughtSignature":"ZW5k"}])"));
}

TEST(GeminiDecoding, WhatIsNoAnswerFails) {
  const Dialect& gemini = DialectOf(ProviderKind::kGemini);
  for (const char* body : {"", "<html>", "[]", "{}", "{\"candidates\":[]}", "{\"candidates\":7}",
                           R"({"candidates":[{"content":{"parts":[{"text":7}]}}]})",
                           R"({"candidates":[{"content":{"parts":[{"functionCall":{}}]}}]})",
                           R"({"error":{"message":"no"}})"}) {
    EXPECT_FALSE(gemini.Decode(body)) << body;
  }
}

}  // namespace
}  // namespace requestrouter::upstream
