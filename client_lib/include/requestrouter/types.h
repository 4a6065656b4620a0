#ifndef REQUESTROUTER_TYPES_H_
#define REQUESTROUTER_TYPES_H_

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

// What is asked of the router and what it answers, as plain data. Fields that are left as they are
// take the daemon's defaults; ipc/PROTOCOL.md describes each. A field that ends in _json holds the
// text of one JSON value and may be empty.
namespace requestrouter {

enum class Role : std::uint8_t { kSystem, kUser, kAssistant, kTool };
enum class Workload : std::uint8_t { kLight, kMedium, kHeavy, kAuto };
enum class Priority : std::uint8_t { kInteractive, kNormal, kBatch };
enum class FinishReason : std::uint8_t { kStop, kLength, kToolCalls, kContentFilter };
enum class Effort : std::uint8_t { kLow, kMedium, kHigh };
// What to do when the daemon died between sending upstream and recording the answer.
enum class OnUnknown : std::uint8_t { kResend, kFail };

struct TextPart {
  std::string text;
};

// An image by its bytes (mime_type and data) or by its address (url); not both.
struct ImagePart {
  std::string mime_type;
  std::string data;
  std::string url;
};

using Part = std::variant<TextPart, ImagePart>;

struct ToolCall {
  std::string id;
  std::string name;
  std::string arguments;  // JSON text as the model wrote it, so it may be malformed
  std::string provider_state_json;
};

struct Message {
  Role role = Role::kUser;
  std::vector<Part> parts;
  std::vector<ToolCall> tool_calls;
  std::string tool_call_id;
  std::string provider_state_json;  // give an assistant message back what its reply came with
};

struct Tool {
  std::string name;
  std::string description;
  std::string parameters_json;  // a JSON schema
};

struct ToolChoice {
  enum class Mode : std::uint8_t { kAuto, kNone, kRequired, kNamed };
  Mode mode = Mode::kAuto;
  std::string name;  // with kNamed
};

struct ResponseFormat {
  enum class Kind : std::uint8_t { kText, kJsonObject, kJsonSchema };
  Kind kind = Kind::kText;
  std::string name;         // with kJsonSchema
  std::string schema_json;  // with kJsonSchema
};

// Exactly one of the two.
struct Reasoning {
  std::optional<Effort> effort;
  std::optional<std::int64_t> budget_tokens;
};

struct ChatRequest {
  // Exactly one of the two: the user's turn, or the messages to add to the conversation.
  std::string prompt;
  std::vector<Message> messages;

  std::string conversation_id;  // empty: one-shot, nothing is remembered
  std::optional<std::string> system_prompt;
  std::string model_preference;
  Workload workload = Workload::kAuto;
  std::optional<bool> allow_fallback;
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
  std::string provider_options_json;  // {"gemini": {…}, "openai": {…}, "anthropic": {…}}
  OnUnknown on_unknown = OnUnknown::kResend;
  Priority priority = Priority::kNormal;
  std::optional<std::chrono::milliseconds> max_wait;  // for capacity; 0: do not wait
  std::string user_id;
  std::string agent;
  std::string metadata_json;  // a JSON object
};

struct TokenUsage {
  std::int64_t input = 0;
  std::int64_t output = 0;
  std::int64_t total = 0;
  std::int64_t cached = 0;
  std::int64_t reasoning = 0;
};

struct ChatReply {
  std::string content;
  std::string model;
  std::string model_requested;
  std::string provider;
  std::string key_id;
  TokenUsage tokens;
  std::optional<double> cost_usd;  // where prices are configured
  FinishReason finish_reason = FinishReason::kStop;
  std::vector<ToolCall> tool_calls;
  std::string provider_state_json;
  std::string conversation_id;
  std::int64_t attempts = 0;
  std::chrono::milliseconds waited{0};
  std::chrono::milliseconds duration{0};
  bool fallback = false;
  bool persisted = false;
  bool replayed = false;
  std::vector<std::string> warnings;
  std::string request_id;
};

// A piece of a streamed answer. Any of the three may be present.
struct ChatDelta {
  struct ToolCallPiece {
    std::int64_t index = 0;
    std::string id;
    std::string name;
    std::string arguments;
  };
  std::string text;
  std::string reasoning;
  std::optional<ToolCallPiece> tool_call;
};

// Where the request is while nothing has been answered yet.
struct ChatProgress {
  enum class State : std::uint8_t { kWaiting, kSent, kRetrying };
  State state = State::kWaiting;
  std::optional<std::int64_t> position;
  std::optional<std::chrono::milliseconds> eta;
  std::optional<std::int64_t> attempt;
};

using ChatEvent = std::variant<ChatDelta, ChatProgress>;

struct Health {
  struct Keys {
    bool healthy = false;
    std::int64_t total = 0;
    std::int64_t active = 0;
    std::int64_t in_cooldown = 0;
  };
  bool healthy = false;
  std::string version;
  std::chrono::milliseconds uptime{0};
  std::string timestamp;  // RFC 3339
  Keys keys;
  bool conversation_store = false;
  bool storage_healthy = false;
  std::string storage_engine;
  std::int64_t waiting = 0;
  std::int64_t in_flight = 0;
};

struct Model {
  std::string name;
  std::string provider;
  std::int64_t keys = 0;
  std::string workload;
  bool available = false;
  std::vector<std::string> capabilities;
};

struct StoredMessage {
  Message message;
  std::string timestamp;  // RFC 3339
  std::optional<std::int64_t> tokens;
  std::string model;  // of an assistant message
  std::string key_id;
};

struct Conversation {
  std::string id;
  std::optional<std::string> system_prompt;
  std::vector<StoredMessage> messages;  // oldest first
  std::string metadata_json;            // created_at, expires_at, message_count, …
};

struct ConversationSummary {
  std::string id;
  std::string updated_at;  // RFC 3339
  std::int64_t message_count = 0;
  std::int64_t total_tokens = 0;
};

struct ConversationQuery {
  std::string prefix;
  std::string user_id;
  std::int64_t limit = 100;
  std::string after;  // ConversationPage::next of the page before
};

struct ConversationPage {
  std::vector<ConversationSummary> conversations;
  std::string next;  // empty on the last page
};

struct TruncateResult {
  std::int64_t removed = 0;
  std::int64_t message_count = 0;
};

}  // namespace requestrouter

#endif  // REQUESTROUTER_TYPES_H_
