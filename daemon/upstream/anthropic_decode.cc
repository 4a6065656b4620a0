#include "daemon/upstream/anthropic_decode.h"

#include <algorithm>
#include <utility>

#include "daemon/upstream/json_bounds.h"
#include "daemon/upstream/json_view.h"
#include "daemon/upstream/prompt.h"
#include "daemon/upstream/provider_error.h"

namespace requestrouter::upstream {
namespace {

using ipc::Value;

ipc::FinishReason FinishReasonOf(std::string_view reason) {
  if (reason == "max_tokens" || reason == "model_context_window_exceeded") {
    return ipc::FinishReason::kLength;
  }
  if (reason == "tool_use") return ipc::FinishReason::kToolCalls;
  if (reason == "refusal") return ipc::FinishReason::kContentFilter;
  return ipc::FinishReason::kStop;
}

ipc::TokenUsage UsageOf(const Value& usage) {
  ipc::TokenUsage tokens;
  tokens.cached = CountMember(usage, "cache_read_input_tokens");
  tokens.input = CountMember(usage, "input_tokens") +
                 CountMember(usage, "cache_creation_input_tokens") + tokens.cached;
  tokens.output = CountMember(usage, "output_tokens");
  const Value* details = ObjectMember(usage, "output_tokens_details");
  tokens.reasoning = details == nullptr ? 0 : CountMember(*details, "thinking_tokens");
  tokens.total = tokens.input + tokens.output;
  return tokens;
}

}  // namespace

void AnthropicAssembler::BeginBlock(std::int64_t index, const Value& block, Deltas* deltas) {
  const std::string_view type = TextMember(block, "type");
  Block& begun = blocks_.emplace_back();
  begun.index = index;
  if (type == "text") {
    begun.kind = Kind::kText;
    AddText(&begun, TextMember(block, "text"), deltas);
  } else if (type == "thinking") {
    begun.kind = Kind::kThinking;
    begun.value = block;
    begun.signature = std::string(TextMember(block, "signature"));
    AddThinking(&begun, TextMember(block, "thinking"), deltas);
  } else if (type == "redacted_thinking") {
    begun.kind = Kind::kRedactedThinking;
    begun.value = block;
  } else if (type == "tool_use") {
    begun.kind = Kind::kToolUse;
    BeginCall(block, deltas);
  }
}

AnthropicAssembler::Block* AnthropicAssembler::Current(std::int64_t index) {
  return blocks_.empty() || blocks_.back().index != index ? nullptr : &blocks_.back();
}

void AnthropicAssembler::AddPiece(std::int64_t index, const Value& delta, Deltas* deltas) {
  Block* block = Current(index);
  if (block == nullptr) return;
  const std::string_view type = TextMember(delta, "type");
  if (type == "text_delta" && block->kind == Kind::kText) {
    AddText(block, TextMember(delta, "text"), deltas);
  } else if (type == "thinking_delta" && block->kind == Kind::kThinking) {
    AddThinking(block, TextMember(delta, "thinking"), deltas);
  } else if (type == "signature_delta" && block->kind == Kind::kThinking) {
    block->signature += TextMember(delta, "signature");
  } else if (type == "input_json_delta" && block->kind == Kind::kToolUse) {
    AddArguments(TextMember(delta, "partial_json"), deltas);
  }
}

void AnthropicAssembler::AddText(Block* block, std::string_view text, Deltas* deltas) {
  if (text.empty()) return;
  block->text_bytes += text.size();
  answer_.content += text;
  deltas->emplace_back();
  deltas->back().text = std::string(text);
}

void AnthropicAssembler::AddThinking(Block* block, std::string_view text, Deltas* deltas) {
  if (text.empty()) return;
  block->thinking += text;
  deltas->emplace_back();
  deltas->back().reasoning = std::string(text);
}

// A whole answer has the input here, a streamed one an empty object and pieces of text later.
void AnthropicAssembler::BeginCall(const Value& block, Deltas* deltas) {
  ipc::ToolCall& call = answer_.tool_calls.emplace_back();
  call.id = std::string(TextMember(block, "id"));
  call.name = std::string(TextMember(block, "name"));
  if (const Value* input = ObjectMember(block, "input"); input != nullptr && !input->empty()) {
    call.arguments = DumpJson(*input);
  }
  ipc::ToolCallPiece piece;
  piece.index = static_cast<std::int64_t>(answer_.tool_calls.size()) - 1;
  piece.id = call.id;
  piece.name = call.name;
  piece.arguments = call.arguments;
  deltas->emplace_back();
  deltas->back().tool_call = std::move(piece);
}

void AnthropicAssembler::AddArguments(std::string_view json, Deltas* deltas) {
  if (json.empty()) return;
  answer_.tool_calls.back().arguments += json;
  ipc::ToolCallPiece piece;
  piece.index = static_cast<std::int64_t>(answer_.tool_calls.size()) - 1;
  piece.arguments = std::string(json);
  deltas->emplace_back();
  deltas->back().tool_call = std::move(piece);
}

void AnthropicAssembler::ReadUsage(const Value& usage, bool final) {
  for (const auto& [name, value] : usage.items()) {
    if (!value.is_null()) usage_[name] = value;
  }
  answer_.tokens = UsageOf(usage_);
  answer_.tokens_known = final && Member(usage_, "input_tokens") != nullptr &&
                         Member(usage_, "output_tokens") != nullptr;
}

void AnthropicAssembler::ReadStop(const Value& message) {
  const std::string_view reason = TextMember(message, "stop_reason");
  if (reason.empty()) return;
  answer_.finish_reason = FinishReasonOf(reason);
  answer_.blocked = answer_.finish_reason == ipc::FinishReason::kContentFilter;
  const Value* details = ObjectMember(message, "stop_details");
  if (answer_.blocked && details != nullptr) answer_.safety_ratings = *details;
}

Value AnthropicAssembler::State() {
  Value state = NewState("anthropic");
  for (Block& block : blocks_) {
    Value entry = std::move(block.value);
    if (block.kind == Kind::kText) entry = Value::object({{"text", block.text_bytes}});
    if (block.kind == Kind::kToolUse) entry = Value::object({{"tool_use", 1}});
    if (block.kind == Kind::kThinking) {
      entry["thinking"] = std::move(block.thinking);
      entry["signature"] = std::move(block.signature);
    }
    if (block.kind != Kind::kOther) state["blocks"].push_back(std::move(entry));
  }
  return state;
}

Answer AnthropicAssembler::Take() {
  for (ipc::ToolCall& call : answer_.tool_calls) {
    if (call.arguments.empty()) call.arguments = "{}";
  }
  const bool thought = std::any_of(blocks_.begin(), blocks_.end(), [](const Block& block) {
    return block.kind == Kind::kThinking || block.kind == Kind::kRedactedThinking;
  });
  if (thought) answer_.provider_state = State();
  return std::move(answer_);
}

tl::expected<Answer, std::string> DecodeAnthropic(std::string_view body) {
  const auto parsed = ParseJson(body);
  if (!parsed) return Refuse(parsed.error());
  if (const auto error = ErrorIn(*parsed)) return Refuse(WordsOf(*error));
  const Value* content = ArrayMember(*parsed, "content");
  if (content == nullptr) return Refuse("an answer without content");
  AnthropicAssembler assembler;
  AnthropicAssembler::Deltas unused;
  std::int64_t index = 0;
  for (const Value& block : *content) assembler.BeginBlock(index++, block, &unused);
  if (const Value* usage = ObjectMember(*parsed, "usage")) assembler.ReadUsage(*usage, true);
  assembler.ReadStop(*parsed);
  return assembler.Take();
}

}  // namespace requestrouter::upstream
