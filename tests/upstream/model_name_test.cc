#include "daemon/upstream/model_name.h"

#include <gtest/gtest.h>

namespace requestrouter::upstream {
namespace {

TEST(ModelName, GeminiVersionsAreReadFromTheName) {
  EXPECT_EQ(GeminiVersion("gemini-2.5-flash"), (ModelVersion{2, 5}));
  EXPECT_EQ(GeminiVersion("gemini-2.0-flash-001"), (ModelVersion{2, 0}));
  EXPECT_EQ(GeminiVersion("gemini-3-pro-preview"), (ModelVersion{3, 0}));
  EXPECT_EQ(GeminiVersion("gemini-flash-latest"), std::nullopt);
  EXPECT_EQ(GeminiVersion("gemma-3-27b-it"), std::nullopt);
  EXPECT_EQ(GeminiVersion(""), std::nullopt);
}

TEST(ModelName, ClaudeVersionsAreReadFromBothFormsOfName) {
  EXPECT_EQ(ClaudeVersion("claude-3-opus-20240229"), (ModelVersion{3, 0}));
  EXPECT_EQ(ClaudeVersion("claude-3-5-haiku-20241022"), (ModelVersion{3, 5}));
  EXPECT_EQ(ClaudeVersion("claude-opus-4-20250514"), (ModelVersion{4, 0}));
  EXPECT_EQ(ClaudeVersion("claude-opus-4-1-20250805"), (ModelVersion{4, 1}));
  EXPECT_EQ(ClaudeVersion("claude-sonnet-4-6"), (ModelVersion{4, 6}));
  EXPECT_EQ(ClaudeVersion("claude-opus-5"), (ModelVersion{5, 0}));
  EXPECT_EQ(ClaudeVersion("claude-mythos-preview"), std::nullopt);
  EXPECT_EQ(ClaudeVersion("minimax-m2"), std::nullopt);
}

TEST(ModelName, OpenAiModelsThatReasonAreKnownByName) {
  for (const char* model : {"o1", "o1-mini", "o3-2025-04-16", "o4-mini", "gpt-5", "gpt-5.1-codex",
                            "gpt-6", "openai/o3-mini"}) {
    EXPECT_EQ(OpenAiFamilyOf(model), OpenAiFamily::kReasoning) << model;
  }
  for (const char* model : {"gpt-4o", "gpt-4.1-mini", "gpt-3.5-turbo", "chatgpt-4o-latest",
                            "gpt-5-chat-latest", "openai/gpt-4o"}) {
    EXPECT_EQ(OpenAiFamilyOf(model), OpenAiFamily::kPlain) << model;
  }
  for (const char* model : {"gpt-oss-120b", "llama-3.3-70b", "deepseek-chat", "o", "olmo-2", ""}) {
    EXPECT_EQ(OpenAiFamilyOf(model), OpenAiFamily::kOther) << model;
  }
}

}  // namespace
}  // namespace requestrouter::upstream
