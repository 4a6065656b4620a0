#include "client_lib/src/chat_convert.h"

#include <utility>

#include "client_lib/src/errors.h"
#include "client_lib/src/json.h"
#include "client_lib/src/read.h"
#include "ipc/codec.h"

namespace requestrouter::client {
namespace {

using ipc::Value;
using std::chrono::milliseconds;

// The public enumerations repeat the wire's in their order, so that a cast converts.
static_assert(static_cast<int>(Role::kTool) == static_cast<int>(ipc::Role::kTool));
static_assert(static_cast<int>(Workload::kAuto) == static_cast<int>(ipc::Workload::kAuto));
static_assert(static_cast<int>(Priority::kBatch) == static_cast<int>(ipc::Priority::kBatch));
static_assert(static_cast<int>(FinishReason::kContentFilter) ==
              static_cast<int>(ipc::FinishReason::kContentFilter));
static_assert(static_cast<int>(Effort::kHigh) == static_cast<int>(ipc::Effort::kHigh));
static_assert(static_cast<int>(OnUnknown::kFail) == static_cast<int>(ipc::OnUnknown::kFail));
static_assert(static_cast<int>(ToolChoice::Mode::kNamed) ==
              static_cast<int>(ipc::ToolChoice::Mode::kNamed));
static_assert(static_cast<int>(ResponseFormat::Kind::kJsonSchema) ==
              static_cast<int>(ipc::ResponseFormat::Kind::kJsonSchema));

// Parses the _json fields of one request and keeps the first failure, so that the conversions can
// be written without a check after each.
class JsonFields {
 public:
  Value Parse(const std::string& text, std::string_view what) {
    auto value = ParseJson(text, what);
    if (value) return std::move(*value);
    if (!failure_) failure_ = std::move(value.error());
    return Value();
  }
  const std::optional<Error>& failure() const { return failure_; }

 private:
  std::optional<Error> failure_;
};

ipc::Part PartToWire(const Part& part) {
  if (const auto* text = std::get_if<TextPart>(&part)) return ipc::TextPart{text->text};
  const auto& image = std::get<ImagePart>(part);
  return ipc::ImagePart{image.mime_type, image.data, image.url};
}

ipc::Message MessageToWire(const Message& message, JsonFields& json) {
  ipc::Message wire;
  wire.role = static_cast<ipc::Role>(message.role);
  for (const Part& part : message.parts) wire.parts.push_back(PartToWire(part));
  for (const ToolCall& call : message.tool_calls) {
    wire.tool_calls.push_back({call.id, call.name, call.arguments,
                               json.Parse(call.provider_state_json, "a tool call's state")});
  }
  wire.tool_call_id = message.tool_call_id;
  wire.provider_state = json.Parse(message.provider_state_json, "a message's provider state");
  return wire;
}

void TurnsToWire(const ChatRequest& request, JsonFields& json, ipc::ChatRequest& wire) {
  if (request.messages.empty()) {
    wire.messages.push_back(ipc::Message{
        ipc::Role::kUser, {ipc::TextPart{request.prompt}}, {}, std::string(), Value()});
  }
  for (const Message& message : request.messages) {
    wire.messages.push_back(MessageToWire(message, json));
  }
}

void SamplingToWire(const ChatRequest& request, ipc::ChatRequest& wire) {
  wire.expected_completion_tokens = request.expected_completion_tokens;
  wire.max_output_tokens = request.max_output_tokens;
  wire.temperature = request.temperature;
  wire.top_p = request.top_p;
  wire.stop = request.stop;
  wire.seed = request.seed;
  if (request.reasoning) {
    wire.reasoning.emplace();
    wire.reasoning->budget_tokens = request.reasoning->budget_tokens;
    if (const auto effort = request.reasoning->effort) {
      wire.reasoning->effort = static_cast<ipc::Effort>(*effort);
    }
  }
}

void ToolsToWire(const ChatRequest& request, JsonFields& json, ipc::ChatRequest& wire) {
  for (const Tool& tool : request.tools) {
    wire.tools.push_back({tool.name, tool.description,
                          json.Parse(tool.parameters_json, "the parameters of a tool")});
  }
  wire.tool_choice = {static_cast<ipc::ToolChoice::Mode>(request.tool_choice.mode),
                      request.tool_choice.name};
  const ResponseFormat& format = request.response_format;
  wire.response_format = {static_cast<ipc::ResponseFormat::Kind>(format.kind), format.name,
                          json.Parse(format.schema_json, "the response schema")};
}

void RoutingToWire(const ChatRequest& request, JsonFields& json, ipc::ChatRequest& wire) {
  wire.conv_id = request.conversation_id;
  wire.system_prompt = request.system_prompt;
  wire.model_preference = request.model_preference;
  wire.workload = static_cast<ipc::Workload>(request.workload);
  wire.allow_fallback = request.allow_fallback;
  wire.on_unknown = static_cast<ipc::OnUnknown>(request.on_unknown);
  wire.priority = static_cast<ipc::Priority>(request.priority);
  if (request.max_wait) wire.max_wait_ms = request.max_wait->count();
  wire.user_id = request.user_id;
  wire.agent = request.agent;
  wire.provider_options = json.Parse(request.provider_options_json, "provider_options");
  wire.metadata = json.Parse(request.metadata_json, "metadata");
}

ToolCall ToolCallFromWire(ipc::ToolCall&& wire) {
  return {std::move(wire.id), std::move(wire.name), std::move(wire.arguments),
          DumpJson(wire.provider_state)};
}

std::vector<ToolCall> ToolCallsFromWire(std::vector<ipc::ToolCall>&& wire) {
  std::vector<ToolCall> calls;
  for (ipc::ToolCall& call : wire) calls.push_back(ToolCallFromWire(std::move(call)));
  return calls;
}

ChatReply ReplyFromWire(ipc::ChatReply&& wire) {
  ChatReply reply;
  reply.content = std::move(wire.content);
  reply.model = std::move(wire.model);
  reply.model_requested = std::move(wire.model_requested);
  reply.provider = std::move(wire.provider);
  reply.key_id = std::move(wire.key_id);
  reply.tokens = {wire.tokens.input, wire.tokens.output, wire.tokens.total, wire.tokens.cached,
                  wire.tokens.reasoning};
  reply.cost_usd = wire.cost_usd;
  reply.finish_reason = static_cast<FinishReason>(wire.finish_reason);
  reply.tool_calls = ToolCallsFromWire(std::move(wire.tool_calls));
  reply.provider_state_json = DumpJson(wire.provider_state);
  reply.conversation_id = std::move(wire.conversation_id);
  reply.attempts = wire.attempts;
  reply.waited = milliseconds(wire.waited_ms);
  reply.duration = milliseconds(wire.duration_ms);
  reply.fallback = wire.fallback;
  reply.persisted = wire.persisted;
  reply.replayed = wire.replayed;
  reply.warnings = std::move(wire.warnings);
  return reply;
}

ChatDelta DeltaFromBody(const Value& map) {
  ChatDelta delta;
  delta.text = ReadText(map, "text");
  delta.reasoning = ReadText(map, "reasoning");
  const Value& call = ReadChild(map, "tool_call");
  if (call.is_object()) {
    delta.tool_call = ChatDelta::ToolCallPiece{ReadInt(call, "index"), ReadText(call, "id"),
                                               ReadText(call, "name"), ReadText(call, "arguments")};
  }
  return delta;
}

std::optional<ChatProgress> ProgressFromBody(const Value& map) {
  ChatProgress progress;
  const std::string state = ReadText(map, "state");
  if (state == "sent") {
    progress.state = ChatProgress::State::kSent;
  } else if (state == "retrying") {
    progress.state = ChatProgress::State::kRetrying;
  } else if (state != "waiting") {
    return std::nullopt;
  }
  progress.position = ReadOptionalInt(map, "position");
  if (const auto eta = ReadOptionalInt(map, "eta_ms")) progress.eta = milliseconds(*eta);
  progress.attempt = ReadOptionalInt(map, "attempt");
  return progress;
}

}  // namespace

Result<ipc::ChatRequest> ToWire(const ChatRequest& request, bool stream) {
  if (!request.prompt.empty() && !request.messages.empty()) {
    return InvalidRequest("prompt and messages are both given; give one of them");
  }
  JsonFields json;
  ipc::ChatRequest wire;
  TurnsToWire(request, json, wire);
  SamplingToWire(request, wire);
  ToolsToWire(request, json, wire);
  RoutingToWire(request, json, wire);
  wire.stream = stream;
  wire.progress = stream;
  if (json.failure()) return *json.failure();
  return wire;
}

Result<ChatReply> ChatReplyFromBody(const Value& body) {
  auto wire = ipc::ChatReplyFromValue(body);
  if (!wire) return FromWire(wire.error());
  return ReplyFromWire(std::move(*wire));
}

std::optional<ChatEvent> ChatEventFromBody(const Value& body) {
  const Value& delta = ReadChild(body, "delta");
  if (delta.is_object()) return DeltaFromBody(delta);
  return ProgressFromBody(ReadChild(body, "progress"));
}

Result<Message> MessageFromBody(const Value& body) {
  auto wire = ipc::MessageFromValue(body);
  if (!wire) return FromWire(wire.error());
  Message message;
  message.role = static_cast<Role>(wire->role);
  for (ipc::Part& part : wire->parts) {
    if (auto* text = std::get_if<ipc::TextPart>(&part)) {
      message.parts.emplace_back(TextPart{std::move(text->text)});
    } else {
      auto& image = std::get<ipc::ImagePart>(part);
      message.parts.emplace_back(
          ImagePart{std::move(image.mime_type), std::move(image.data), std::move(image.url)});
    }
  }
  message.tool_calls = ToolCallsFromWire(std::move(wire->tool_calls));
  message.tool_call_id = std::move(wire->tool_call_id);
  message.provider_state_json = DumpJson(wire->provider_state);
  return message;
}

}  // namespace requestrouter::client
