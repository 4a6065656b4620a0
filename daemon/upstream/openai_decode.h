#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <tl/expected.hpp>

#include "daemon/upstream/dialect.h"

// OpenAI's chat completion object and its chunks, after platform.openai.com/docs/api-reference/
// chat/object and …/chat/streaming as published in November 2026, and what compatible servers add:
// reasoning_content (DeepSeek, vLLM), reasoning and reasoning_details (OpenRouter), content as a
// list of text and thinking (Mistral), usage beside x_groq (Groq), calls without index or id
// (Ollama), extra_content (Gemini's compatible endpoint). Pure.
namespace requestrouter::upstream {

// What the choices of an answer say, whether they come whole ("message") or in pieces ("delta").
// Only the first choice counts.
class OpenAiAssembler {
 public:
  using Deltas = std::vector<ipc::ChatDelta>;

  // Adds the choice and the usage of `chunk`. Fails for what is not the provider's format.
  tl::expected<Deltas, std::string> Add(const ipc::Value& chunk, const char* message_key);

  bool has_choice() const { return has_choice_; }
  bool finished() const { return finished_; }
  Answer Take();

 private:
  void ReadUsage(const ipc::Value& chunk);
  void ReadFinish(const ipc::Value& choice, const ipc::Value& chunk);
  tl::expected<void, std::string> ReadMessage(const ipc::Value& message, Deltas* deltas);
  tl::expected<void, std::string> ReadContent(const ipc::Value& message, Deltas* deltas);
  void ReadReasoning(const ipc::Value& message, Deltas* deltas);
  tl::expected<void, std::string> ReadCall(const ipc::Value& call, Deltas* deltas);
  // The call that a piece belongs to: a new one at the end, or one begun before.
  std::size_t CallIndex(const ipc::Value& call);
  std::size_t NumberedCall(std::int64_t number);
  void AddText(std::string text, Deltas* deltas);
  void AddReasoning(std::string text, Deltas* deltas);
  void FinishCalls();
  ipc::Value State(const char* key, ipc::Value value) const;

  Answer answer_;
  std::unordered_map<std::int64_t, std::size_t> calls_by_number_;
  std::string response_id_;
  std::string model_;
  std::string refusal_;
  std::string reasoning_content_;
  ipc::Value reasoning_details_ = ipc::Value::array();
  std::string finish_reason_;
  bool has_choice_ = false;
  bool finished_ = false;
};

// The error that an answer or a chunk reports with status 200: as OpenAI does it in streams, inside
// the choice (OpenRouter), or bare (older vLLM).
std::optional<ProviderError> ErrorInChunk(const ipc::Value& chunk);

// Notes:
//  - A refusal, and the finish reason content_filter, are blocks.
//  - Some servers count reasoning tokens outside of completion_tokens; their own total tells.
tl::expected<Answer, std::string> DecodeOpenAi(std::string_view body);

// Complete when a finish reason came or "[DONE]" after a choice: servers omit one or the other.
std::unique_ptr<StreamDecoder> NewOpenAiStreamDecoder();

}  // namespace requestrouter::upstream
