#include "tests/bench/parts/samples.h"

#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

#include "ipc/codec.h"

namespace requestrouter::bench {
namespace {

using Json = nlohmann::json;
using upstream::ProviderKind;

Json GeminiBody(const std::string& text) {
  return {{"candidates",
           {{{"content", {{"role", "model"}, {"parts", {{{"text", text}}}}}},
             {"finishReason", "STOP"},
             {"index", 0}}}},
          {"usageMetadata",
           {{"promptTokenCount", 256}, {"candidatesTokenCount", 50}, {"totalTokenCount", 306}}},
          {"modelVersion", "gemini-2.5-flash"},
          {"responseId", "r-1"}};
}

Json OpenAiBody(const std::string& text) {
  return {{"id", "chatcmpl-1"},
          {"object", "chat.completion"},
          {"created", 1},
          {"model", "gpt-5-mini"},
          {"choices",
           {{{"index", 0},
             {"message", {{"role", "assistant"}, {"content", text}}},
             {"finish_reason", "stop"}}}},
          {"usage", {{"prompt_tokens", 256}, {"completion_tokens", 50}, {"total_tokens", 306}}}};
}

Json AnthropicBody(const std::string& text) {
  return {{"id", "msg_1"},
          {"type", "message"},
          {"role", "assistant"},
          {"model", "claude-sonnet-4-5"},
          {"content", {{{"type", "text"}, {"text", text}}}},
          {"stop_reason", "end_turn"},
          {"usage", {{"input_tokens", 256}, {"output_tokens", 50}}}};
}

}  // namespace

std::string ChatPayload() {
  const auto bytes = Json::to_msgpack(
      {{"v", 1},
       {"id", "01234567-89ab-cdef-0123-456789abcdef"},
       {"op", "chat"},
       {"body", {{"prompt", std::string(kPromptBytes, 'x')}, {"conv_id", "conversation-1"}}}});
  return {bytes.begin(), bytes.end()};
}

ipc::ChatReply ChatAnswer() {
  ipc::ChatReply reply;
  reply.content = std::string(kAnswerBytes, 'y');
  reply.model = "gpt-5-mini";
  reply.provider = "openai";
  reply.key_id = "k1";
  reply.conversation_id = "conversation-1";
  reply.persisted = true;
  return reply;
}

upstream::Attempt ChatAttempt(ProviderKind kind, int turns) {
  auto prompt = std::make_shared<upstream::Prompt>();
  for (int i = 0; i < turns; ++i) {
    prompt->messages.push_back(ipc::TextMessage(ipc::Role::kUser, std::string(kPromptBytes, 'x')));
    prompt->messages.push_back(
        ipc::TextMessage(ipc::Role::kAssistant, std::string(kAnswerBytes, 'y')));
  }
  prompt->messages.push_back(ipc::TextMessage(ipc::Role::kUser, std::string(kPromptBytes, 'x')));
  auto provider = std::make_shared<upstream::Provider>();
  provider->name = "provider";
  provider->kind = kind;
  provider->base_url = "https://api.example.com/v1";
  upstream::Attempt attempt;
  attempt.provider = std::move(provider);
  attempt.model = kind == ProviderKind::kGemini ? "gemini-2.5-flash" : "gpt-5-mini";
  attempt.secret = "secret";
  attempt.prompt = std::move(prompt);
  return attempt;
}

std::string ProviderBody(ProviderKind kind) {
  const std::string text(kAnswerBytes, 'y');
  switch (kind) {
    case ProviderKind::kGemini:
      return GeminiBody(text).dump();
    case ProviderKind::kOpenAi:
      return OpenAiBody(text).dump();
    case ProviderKind::kAnthropic:
      break;
  }
  return AnthropicBody(text).dump();
}

}  // namespace requestrouter::bench
