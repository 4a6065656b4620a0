#include "daemon/upstream/gemini_decode.h"

#include <array>
#include <optional>
#include <utility>
#include <vector>

#include "daemon/upstream/call_ids.h"
#include "daemon/upstream/json_bounds.h"
#include "daemon/upstream/json_view.h"
#include "daemon/upstream/prompt.h"
#include "daemon/upstream/provider_error.h"

namespace requestrouter::upstream {
namespace {

using ipc::Value;

template <std::size_t N>
bool IsOneOf(std::string_view word, const std::array<std::string_view, N>& words) {
  for (const std::string_view candidate : words) {
    if (word == candidate) return true;
  }
  return false;
}

// The provider's filters: safety proper, and what else withholds an answer for what it says.
bool IsBlock(std::string_view reason) {
  constexpr std::array<std::string_view, 9> kBlocks = {"SAFETY",
                                                       "RECITATION",
                                                       "BLOCKLIST",
                                                       "PROHIBITED_CONTENT",
                                                       "SPII",
                                                       "IMAGE_SAFETY",
                                                       "IMAGE_PROHIBITED_CONTENT",
                                                       "IMAGE_RECITATION",
                                                       "MODEL_ARMOR"};
  return IsOneOf(reason, kBlocks);
}

// The model failed to produce what it meant to; asking again helps.
bool IsGarbled(std::string_view reason) {
  constexpr std::array<std::string_view, 5> kGarbled = {
      "MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS",
      "MISSING_THOUGHT_SIGNATURE", "MALFORMED_RESPONSE"};
  return IsOneOf(reason, kGarbled);
}

class GeminiDecoder final : public StreamDecoder {
 public:
  using Deltas = std::vector<ipc::ChatDelta>;
  using Result = tl::expected<Deltas, std::string>;

  Result OnEvent(std::string_view /*event*/, std::string_view data) override {
    if (data.empty() || error_) return Deltas();
    const auto chunk = ParseJson(data);
    if (!chunk) return Refuse(chunk.error());
    return Add(*chunk);
  }

  const ProviderError* error() const override { return error_ ? &*error_ : nullptr; }
  bool complete() const override { return complete_; }

  Answer Take() override {
    if (!signed_pieces_.empty()) {
      answer_.provider_state = NewState("gemini");
      answer_.provider_state["parts"] = std::move(signed_pieces_);
    }
    if (answer_.blocked) {
      answer_.finish_reason = ipc::FinishReason::kContentFilter;
    } else if (answer_.finish_reason == ipc::FinishReason::kStop && !answer_.tool_calls.empty()) {
      answer_.finish_reason = ipc::FinishReason::kToolCalls;
    }
    return std::move(answer_);
  }

  Result Add(const Value& chunk) {
    if ((error_ = ErrorIn(chunk))) return Deltas();
    if (!chunk.is_object()) return Refuse("not a GenerateContentResponse");
    ReadUsage(chunk);
    if (const std::string_view id = TextMember(chunk, "responseId"); !id.empty()) {
      response_id_ = std::string(id);
    }
    ReadPromptFeedback(chunk);
    for (const Value& candidate : ItemsOf(chunk, "candidates")) {
      if (CountMember(candidate, "index") != 0) continue;
      has_candidate_ = true;
      return ReadCandidate(candidate);
    }
    return Deltas();
  }

  bool has_candidate() const { return has_candidate_; }

 private:
  void ReadUsage(const Value& chunk) {
    const Value* usage = ObjectMember(chunk, "usageMetadata");
    if (usage == nullptr || Member(*usage, "promptTokenCount") == nullptr) return;
    ipc::TokenUsage& tokens = answer_.tokens;
    tokens.input =
        CountMember(*usage, "promptTokenCount") + CountMember(*usage, "toolUsePromptTokenCount");
    tokens.reasoning = CountMember(*usage, "thoughtsTokenCount");
    tokens.output = CountMember(*usage, "candidatesTokenCount") + tokens.reasoning;
    tokens.cached = CountMember(*usage, "cachedContentTokenCount");
    tokens.total = tokens.input + tokens.output;
    answer_.tokens_known = true;
  }

  void ReadPromptFeedback(const Value& chunk) {
    const Value* feedback = ObjectMember(chunk, "promptFeedback");
    if (feedback == nullptr || TextMember(*feedback, "blockReason").empty()) return;
    Block(*feedback);
  }

  void Block(const Value& where) {
    answer_.blocked = true;
    complete_ = true;
    if (const Value* ratings = ArrayMember(where, "safetyRatings")) {
      answer_.safety_ratings = *ratings;
    }
  }

  Result ReadCandidate(const Value& candidate) {
    Deltas deltas;
    const Value* content = ObjectMember(candidate, "content");
    for (const Value& part : ItemsOf(content == nullptr ? candidate : *content, "parts")) {
      if (auto read = ReadPart(part, &deltas); !read) return Refuse(read.error());
    }
    if (auto read = ReadFinish(candidate); !read) return Refuse(read.error());
    return deltas;
  }

  tl::expected<void, std::string> ReadFinish(const Value& candidate) {
    const std::string_view reason = TextMember(candidate, "finishReason");
    if (reason.empty() || reason == "FINISH_REASON_UNSPECIFIED") return {};
    if (IsGarbled(reason) && answer_.content.empty() && answer_.tool_calls.empty()) {
      return Refuse("the model gave no answer: " + Bounded(reason, 64));
    }
    complete_ = true;
    if (reason == "MAX_TOKENS") answer_.finish_reason = ipc::FinishReason::kLength;
    if (IsBlock(reason)) Block(candidate);
    return {};
  }

  tl::expected<void, std::string> ReadPart(const Value& part, Deltas* deltas) {
    if (const Value* call = ObjectMember(part, "functionCall"))
      return ReadCall(*call, part, deltas);
    const Value* text = Member(part, "text");
    if (text == nullptr) return {};
    if (!text->is_string()) return Refuse("a part's text is no string");
    ReadText(text->get_ref<const std::string&>(), part, deltas);
    return {};
  }

  void ReadText(const std::string& text, const Value& part, Deltas* deltas) {
    ipc::ChatDelta delta;
    if (BoolMember(part, "thought")) {
      delta.reasoning = text;
    } else {
      answer_.content += text;
      delta.text = text;
    }
    NoteSignature(TextMember(part, "thoughtSignature"));
    if (!text.empty()) deltas->push_back(std::move(delta));
  }

  // A signature belongs to the text since the one before it.
  void NoteSignature(std::string_view signature) {
    if (signature.empty()) return;
    Value piece = Value::object();
    piece["bytes"] = answer_.content.size() - signed_bytes_;
    piece["thoughtSignature"] = std::string(signature);
    signed_pieces_.push_back(std::move(piece));
    signed_bytes_ = answer_.content.size();
  }

  tl::expected<void, std::string> ReadCall(const Value& call, const Value& part, Deltas* deltas) {
    ipc::ToolCall read;
    read.name = std::string(TextMember(call, "name"));
    if (read.name.empty()) return Refuse("a function call without a name");
    const Value* arguments = ObjectMember(call, "args");
    read.arguments = arguments == nullptr ? "{}" : DumpJson(*arguments);
    read.id = std::string(TextMember(call, "id"));
    if (read.id.empty()) {
      const std::string& seed = response_id_.empty() ? read.arguments : response_id_;
      read.id = SyntheticCallId(seed, answer_.tool_calls.size());
    }
    if (const std::string_view signature = TextMember(part, "thoughtSignature");
        !signature.empty()) {
      read.provider_state = NewState("gemini");
      read.provider_state["thoughtSignature"] = std::string(signature);
    }
    deltas->push_back(CallDelta(read, answer_.tool_calls.size()));
    answer_.tool_calls.push_back(std::move(read));
    return {};
  }

  static ipc::ChatDelta CallDelta(const ipc::ToolCall& call, std::size_t index) {
    ipc::ChatDelta delta;
    delta.tool_call.emplace();
    delta.tool_call->index = static_cast<std::int64_t>(index);
    delta.tool_call->id = call.id;
    delta.tool_call->name = call.name;
    delta.tool_call->arguments = call.arguments;
    return delta;
  }

  Answer answer_;
  std::string response_id_;
  Value signed_pieces_ = Value::array();
  std::size_t signed_bytes_ = 0;
  bool has_candidate_ = false;
  bool complete_ = false;
  std::optional<ProviderError> error_;
};

}  // namespace

tl::expected<Answer, std::string> DecodeGemini(std::string_view body) {
  const auto parsed = ParseJson(body);
  if (!parsed) return Refuse(parsed.error());
  GeminiDecoder decoder;
  if (auto added = decoder.Add(*parsed); !added) return Refuse(added.error());
  if (decoder.error() != nullptr) return Refuse(WordsOf(*decoder.error()));
  if (!decoder.has_candidate() && !decoder.complete())
    return Refuse("an answer without candidates");
  return decoder.Take();
}

std::unique_ptr<StreamDecoder> NewGeminiStreamDecoder() {
  return std::make_unique<GeminiDecoder>();
}

}  // namespace requestrouter::upstream
