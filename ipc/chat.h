#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "ipc/value.h"

// The `chat` operation of PROTOCOL.md as values: what a caller asks and what it is answered.
// Plain data without behaviour; decoded and validated by ipc/codec.h.
namespace requestrouter::ipc {

enum class Role : std::uint8_t { kSystem, kUser, kAssistant, kTool };
enum class Priority : std::uint8_t { kInteractive, kNormal, kBatch };
enum class Workload : std::uint8_t { kLight, kMedium, kHeavy, kAuto };
enum class FinishReason : std::uint8_t { kStop, kLength, kToolCalls, kContentFilter };
enum class OnUnknown : std::uint8_t { kResend, kFail };
enum class Effort : std::uint8_t { kLow, kMedium, kHigh };

struct TextPart {
  std::string text;
  bool operator==(const TextPart&) const = default;
};

// An image given by its bytes (mime_type and data) or by its address (url); never both.
struct ImagePart {
  std::string mime_type;
  std::string data;
  std::string url;
  bool operator==(const ImagePart&) const = default;
};

using Part = std::variant<TextPart, ImagePart>;

struct ToolCall {
  std::string id;
  std::string name;
  std::string arguments;  // JSON text, as the provider gave it
  Value provider_state;   // opaque; null where there is none
  bool operator==(const ToolCall&) const = default;
};

// One message of a conversation. `parts` may be empty beside tool calls.
struct Message {
  Role role = Role::kUser;
  std::vector<Part> parts;
  std::vector<ToolCall> tool_calls;  // assistant only
  std::string tool_call_id;          // tool only
  Value provider_state;              // assistant only; opaque; null where there is none
  bool operator==(const Message&) const = default;
};

// A message with one text part.
Message TextMessage(Role role, std::string text);

// The text parts of a message, joined.
std::string TextOf(const Message& message);

struct Tool {
  std::string name;
  std::string description;
  Value parameters;  // a JSON schema
};

struct ToolChoice {
  enum class Mode : std::uint8_t { kAuto, kNone, kRequired, kNamed };
  Mode mode = Mode::kAuto;
  std::string name;  // with kNamed
};

struct ResponseFormat {
  enum class Kind : std::uint8_t { kText, kJsonObject, kJsonSchema };
  Kind kind = Kind::kText;
  std::string name;  // with kJsonSchema
  Value schema;      // with kJsonSchema
};

// Exactly one of the two is set.
struct Reasoning {
  std::optional<Effort> effort;
  std::optional<std::int64_t> budget_tokens;
};

struct ChatRequest {
  // `prompt` arrives as a single user message here.
  std::vector<Message> messages;
  std::string conv_id;  // empty: one-shot
  std::optional<std::string> system_prompt;
  std::string model_preference;  // empty: choose by workload
  Workload workload = Workload::kAuto;
  std::optional<bool> allow_fallback;
  std::string key_id;  // administrators only: this key and no other; empty: any
  std::int64_t expected_completion_tokens = 512;
  std::int64_t max_output_tokens = 2048;
  double temperature = 0.7;
  std::optional<double> top_p;
  std::vector<std::string> stop;
  std::optional<std::int64_t> seed;
  ResponseFormat response_format;
  std::vector<Tool> tools;
  ToolChoice tool_choice;
  std::optional<Reasoning> reasoning;
  Value provider_options;  // a map by provider kind, or null
  OnUnknown on_unknown = OnUnknown::kResend;
  bool stream = false;
  bool progress = false;
  Priority priority = Priority::kNormal;
  std::optional<std::int64_t> max_wait_ms;  // absent: the deadline
  std::string user_id;
  std::string agent;
  Value metadata;  // a map, or null
};

struct TokenUsage {
  std::int64_t input = 0;   // cached ones included
  std::int64_t output = 0;  // reasoning included
  std::int64_t total = 0;
  std::int64_t cached = 0;
  std::int64_t reasoning = 0;
  bool operator==(const TokenUsage&) const = default;
};

struct ChatReply {
  std::string content;
  std::string model;
  std::string model_requested;
  std::string provider;
  std::string key_id;
  TokenUsage tokens;
  std::optional<double> cost_usd;
  FinishReason finish_reason = FinishReason::kStop;
  std::vector<ToolCall> tool_calls;
  Value provider_state;  // null where there is none
  std::string conversation_id;
  std::int64_t attempts = 0;
  std::int64_t waited_ms = 0;
  std::int64_t duration_ms = 0;
  bool fallback = false;
  bool persisted = false;
  bool replayed = false;
  std::vector<std::string> warnings;
};

struct ToolCallPiece {
  std::int64_t index = 0;
  std::string id;
  std::string name;
  std::string arguments;
};

// A piece of a streamed answer. Any of the three may be present.
struct ChatDelta {
  std::string text;
  std::string reasoning;
  std::optional<ToolCallPiece> tool_call;
};

struct ChatProgress {
  enum class State : std::uint8_t { kWaiting, kSent, kRetrying };
  State state = State::kWaiting;
  std::optional<std::int64_t> position;
  std::optional<std::int64_t> eta_ms;
  std::optional<std::int64_t> attempt;
};

}  // namespace requestrouter::ipc
