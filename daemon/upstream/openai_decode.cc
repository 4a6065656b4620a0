#include "daemon/upstream/openai_decode.h"

#include <utility>

#include "daemon/upstream/call_ids.h"
#include "daemon/upstream/json_bounds.h"
#include "daemon/upstream/json_view.h"
#include "daemon/upstream/prompt.h"
#include "daemon/upstream/provider_error.h"

namespace requestrouter::upstream {
namespace {

using ipc::Value;

ipc::FinishReason FinishReasonOf(std::string_view reason) {
  if (reason == "length" || reason == "model_length") return ipc::FinishReason::kLength;
  if (reason == "tool_calls" || reason == "function_call") return ipc::FinishReason::kToolCalls;
  if (reason == "content_filter") return ipc::FinishReason::kContentFilter;
  return ipc::FinishReason::kStop;
}

ipc::TokenUsage UsageOf(const Value& usage) {
  const Value* input_details = ObjectMember(usage, "prompt_tokens_details");
  const Value* output_details = ObjectMember(usage, "completion_tokens_details");
  ipc::TokenUsage tokens;
  tokens.input = CountMember(usage, "prompt_tokens");
  tokens.output = CountMember(usage, "completion_tokens");
  tokens.cached = CountMember(usage, "prompt_cache_hit_tokens");  // DeepSeek
  if (input_details != nullptr && input_details->contains("cached_tokens")) {
    tokens.cached = CountMember(*input_details, "cached_tokens");
  }
  tokens.reasoning =
      output_details == nullptr ? 0 : CountMember(*output_details, "reasoning_tokens");
  const std::int64_t total = CountMember(usage, "total_tokens");
  if (total == tokens.input + tokens.output + tokens.reasoning) tokens.output += tokens.reasoning;
  tokens.total = tokens.input + tokens.output;
  return tokens;
}

// The texts of a list of parts, joined.
std::string JoinTexts(const Value& parts) {
  std::string text;
  for (const Value& part : parts) text += TextMember(part, "text");
  return text;
}

}  // namespace

tl::expected<OpenAiAssembler::Deltas, std::string> OpenAiAssembler::Add(const Value& chunk,
                                                                        const char* message_key) {
  if (!chunk.is_object()) return Refuse("not a chat completion");
  ReadUsage(chunk);
  if (response_id_.empty()) response_id_ = std::string(TextMember(chunk, "id"));
  if (model_.empty()) model_ = std::string(TextMember(chunk, "model"));
  Deltas deltas;
  for (const Value& choice : ItemsOf(chunk, "choices")) {
    if (CountMember(choice, "index") != 0) continue;
    const Value* message = ObjectMember(choice, message_key);
    // The last chunk of a stream may hold a finish reason alone.
    const bool may_lack_it = message_key == std::string_view("delta");
    if (message == nullptr && !(may_lack_it && Member(choice, "finish_reason") != nullptr)) {
      return Refuse("a choice without a message");
    }
    has_choice_ = true;
    if (message != nullptr) {
      if (auto read = ReadMessage(*message, &deltas); !read) return Refuse(read.error());
    }
    ReadFinish(choice, chunk);
  }
  return deltas;
}

void OpenAiAssembler::ReadUsage(const Value& chunk) {
  const Value* usage = ObjectMember(chunk, "usage");
  const Value* groq = ObjectMember(chunk, "x_groq");
  if (usage == nullptr && groq != nullptr) usage = ObjectMember(*groq, "usage");
  if (usage == nullptr || Member(*usage, "prompt_tokens") == nullptr) return;
  answer_.tokens = UsageOf(*usage);
  answer_.tokens_known = true;
}

void OpenAiAssembler::ReadFinish(const Value& choice, const Value& chunk) {
  const std::string_view reason = TextMember(choice, "finish_reason");
  if (reason.empty()) return;
  finished_ = true;
  answer_.finish_reason = FinishReasonOf(reason);
  if (answer_.finish_reason != ipc::FinishReason::kContentFilter) return;
  answer_.blocked = true;
  // Azure's ratings of the answer or of the prompt.
  const Value* ratings = ObjectMember(choice, "content_filter_results");
  if (ratings == nullptr) ratings = ArrayMember(chunk, "prompt_filter_results");
  if (ratings != nullptr) answer_.safety_ratings = *ratings;
}

tl::expected<void, std::string> OpenAiAssembler::ReadMessage(const Value& message, Deltas* deltas) {
  ReadReasoning(message, deltas);
  if (auto read = ReadContent(message, deltas); !read) return read;
  refusal_ += TextMember(message, "refusal");
  for (const Value& call : ItemsOf(message, "tool_calls")) {
    if (auto read = ReadCall(call, deltas); !read) return read;
  }
  return {};
}

tl::expected<void, std::string> OpenAiAssembler::ReadContent(const Value& message, Deltas* deltas) {
  const Value* content = Member(message, "content");
  if (content == nullptr || content->is_null()) return {};
  if (content->is_string()) {
    AddText(content->get<std::string>(), deltas);
    return {};
  }
  if (!content->is_array()) return Refuse("content is neither text nor a list of parts");
  for (const Value& part : *content) {
    if (TextMember(part, "type") == "thinking") {
      AddReasoning(JoinTexts(ItemsOf(part, "thinking")), deltas);
    } else {
      AddText(std::string(TextMember(part, "text")), deltas);
    }
  }
  return {};
}

void OpenAiAssembler::ReadReasoning(const Value& message, Deltas* deltas) {
  const std::string_view content = TextMember(message, "reasoning_content");
  reasoning_content_ += content;
  // Servers that have both names say the same under both.
  AddReasoning(std::string(content.empty() ? TextMember(message, "reasoning") : content), deltas);
  for (const Value& detail : ItemsOf(message, "reasoning_details")) {
    reasoning_details_.push_back(detail);
  }
}

// Numbers need not begin at 0: some servers count from 1.
std::size_t OpenAiAssembler::NumberedCall(std::int64_t number) {
  const auto [found, is_new] = calls_by_number_.try_emplace(number, answer_.tool_calls.size());
  return found->second;
}

std::size_t OpenAiAssembler::CallIndex(const Value& call) {
  const std::vector<ipc::ToolCall>& calls = answer_.tool_calls;
  const std::string_view id = TextMember(call, "id");
  if (Member(call, "index") == nullptr) {
    return id.empty() && !calls.empty() ? calls.size() - 1 : calls.size();
  }
  const std::int64_t number = CountMember(call, "index");
  const std::size_t index = NumberedCall(number);
  // A server that gives every call the number 0 tells them apart by their ids.
  const bool is_other = index < calls.size() && !id.empty() && calls[index].id != id;
  if (!is_other) return index;
  calls_by_number_[number] = calls.size();
  return calls.size();
}

tl::expected<void, std::string> OpenAiAssembler::ReadCall(const Value& call, Deltas* deltas) {
  const Value* function = ObjectMember(call, "function");
  if (function == nullptr) return Refuse("a tool call without a function");
  const std::size_t index = CallIndex(call);
  const bool is_new = index == answer_.tool_calls.size();
  if (is_new) answer_.tool_calls.emplace_back();
  ipc::ToolCall& target = answer_.tool_calls[index];
  ipc::ToolCallPiece piece;
  piece.index = static_cast<std::int64_t>(index);
  if (is_new) {
    target.id = std::string(TextMember(call, "id"));
    if (target.id.empty()) {
      target.id = SyntheticCallId(response_id_.empty() ? DumpJson(call) : response_id_, index);
    }
    piece.id = target.id;
  }
  piece.name = std::string(TextMember(*function, "name"));
  target.name += piece.name;
  const Value* arguments = Member(*function, "arguments");
  const bool is_object = arguments != nullptr && arguments->is_object();
  piece.arguments =
      is_object ? DumpJson(*arguments) : std::string(TextMember(*function, "arguments"));
  target.arguments += piece.arguments;
  if (const Value* extra = ObjectMember(call, "extra_content")) {
    target.provider_state = State("extra_content", *extra);
  }
  ipc::ChatDelta delta;
  delta.tool_call = std::move(piece);
  deltas->push_back(std::move(delta));
  return {};
}

void OpenAiAssembler::AddText(std::string text, Deltas* deltas) {
  if (text.empty()) return;
  answer_.content += text;
  deltas->emplace_back();
  deltas->back().text = std::move(text);
}

void OpenAiAssembler::AddReasoning(std::string text, Deltas* deltas) {
  if (text.empty()) return;
  deltas->emplace_back();
  deltas->back().reasoning = std::move(text);
}

Value OpenAiAssembler::State(const char* key, Value value) const {
  Value state = NewState("openai");
  state["model"] = model_;
  state[key] = std::move(value);
  return state;
}

void OpenAiAssembler::FinishCalls() {
  for (ipc::ToolCall& call : answer_.tool_calls) {
    if (call.arguments.empty()) call.arguments = "{}";
  }
  if (!answer_.tool_calls.empty() && answer_.finish_reason == ipc::FinishReason::kStop) {
    answer_.finish_reason = ipc::FinishReason::kToolCalls;
  }
}

Answer OpenAiAssembler::Take() {
  FinishCalls();
  if (!refusal_.empty()) {
    answer_.blocked = true;
    answer_.finish_reason = ipc::FinishReason::kContentFilter;
    answer_.safety_ratings = Value::object({{"refusal", refusal_}});
  }
  if (!reasoning_details_.empty()) {
    answer_.provider_state = State("reasoning_details", std::move(reasoning_details_));
  } else if (!reasoning_content_.empty() && !answer_.tool_calls.empty()) {
    answer_.provider_state = State("reasoning_content", std::move(reasoning_content_));
  }
  return std::move(answer_);
}

std::optional<ProviderError> ErrorInChunk(const Value& chunk) {
  if (auto error = ErrorIn(chunk)) return error;
  for (const Value& choice : ItemsOf(chunk, "choices")) {
    if (auto error = ErrorIn(choice)) return error;
  }
  if (TextMember(chunk, "object") == "error") return ReadProviderError(DumpJson(chunk));
  return std::nullopt;
}

tl::expected<Answer, std::string> DecodeOpenAi(std::string_view body) {
  const auto parsed = ParseJson(body);
  if (!parsed) return Refuse(parsed.error());
  if (const auto error = ErrorInChunk(*parsed)) return Refuse(WordsOf(*error));
  OpenAiAssembler assembler;
  if (auto added = assembler.Add(*parsed, "message"); !added) return Refuse(added.error());
  if (!assembler.has_choice()) return Refuse("an answer without choices");
  return assembler.Take();
}

}  // namespace requestrouter::upstream
