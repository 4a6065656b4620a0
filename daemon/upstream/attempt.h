#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "ipc/chat.h"

// Attempts: single calls of a provider. Prompt -> provider's request -> HTTP -> provider's answer,
// all on one thread; the router sees values only.
namespace requestrouter::upstream {

enum class ProviderKind : std::uint8_t { kGemini, kOpenAi, kAnthropic };

// Where and how to call one provider. Immutable; shared by the attempts that use it.
struct Provider {
  std::string name;  // as in the configuration
  ProviderKind kind = ProviderKind::kOpenAi;
  std::string base_url;                                      // without a trailing slash
  std::vector<std::pair<std::string, std::string>> headers;  // added to every call
  std::chrono::milliseconds connect_timeout{10'000};
  // From the request being sent to the first piece of the answer: of a stream the first delta
  // (servers keep the line warm with comments and pings while a model thinks), else the first byte.
  std::chrono::milliseconds first_token_timeout{300'000};
  std::chrono::milliseconds idle_timeout{120'000};  // between bytes, from that piece on
  // From the request being sent to the end, without the time that a slow caller paused it.
  std::chrono::milliseconds total_timeout{std::chrono::hours(24)};

  bool operator==(const Provider&) const = default;
};

// What is asked, complete: history and system prompt are already in `messages`.
struct Prompt {
  std::vector<ipc::Message> messages;  // system messages first
  ipc::ChatRequest options;            // everything but messages, conv_id and system_prompt
};

struct Attempt {
  std::int64_t id = 0;
  std::shared_ptr<const Provider> provider;
  std::string model;
  std::string secret;  // sent in a header only; wiped when the attempt ends
  std::shared_ptr<const Prompt> prompt;
  bool stream = false;
  std::chrono::milliseconds timeout{120'000};  // total
};

enum class Transport : std::uint8_t {
  // A complete HTTP response, of whatever status. One that is not 2xx need not be complete: once
  // it has begun, the outcome at the provider is known.
  kOk,
  kNotSent,         // failed before the request was on the wire (resolve, connect, TLS)
  kInterrupted,     // failed after it was: the outcome at the provider is unknown
  kTimeout,         // one of the timeouts, after it was sent
  kCancelled,       // by Cancel()
  kUnreadable,      // a complete 2xx response that is not the provider's format
  kRefusedLocally,  // the prompt cannot be expressed to this provider; `error_message` says what
};

struct Answer {
  std::string content;
  ipc::TokenUsage tokens;
  bool tokens_known = false;
  ipc::FinishReason finish_reason = ipc::FinishReason::kStop;
  std::vector<ipc::ToolCall> tool_calls;
  ipc::Value provider_state;  // null where there is none
  bool blocked = false;       // by the provider's safety filter
  ipc::Value safety_ratings;  // null where there are none
};

// What a provider's error body says, whatever its dialect: of a status >= 400, or of an error event
// in mid-stream. Everything is bounded and free of secrets.
struct ProviderError {
  bool readable = false;  // the body was the provider's own JSON shape
  std::string code;       // "RESOURCE_EXHAUSTED", "rate_limit_error", "insufficient_quota"
  std::string type;       // OpenAI's second name, where there is one
  std::string message;    // for people
  std::vector<std::string> reasons;    // google.rpc.ErrorInfo reasons such as "API_KEY_INVALID"
  std::vector<std::string> quota_ids;  // google.rpc.QuotaFailure
  std::optional<std::chrono::milliseconds> retry_delay;  // google.rpc.RetryInfo, rounded up
};

// The end of an attempt.
struct Outcome {
  Transport transport = Transport::kOk;
  int status = 0;  // HTTP; 0 where there was none
  // Response headers that say something of quotas and retries, names in lower case.
  std::vector<std::pair<std::string, std::string>> headers;
  std::optional<ProviderError> error;  // of a status >= 400, or of an error in mid-stream
  std::string error_message;     // the transport's own words, secrets redacted; empty on success
  std::optional<Answer> answer;  // with kOk and a 2xx; of a cut stream what came so far
  bool streamed = false;         // at least one delta was reported
  std::chrono::steady_clock::time_point sent_at;  // when the request was on the wire; 0: never
  // From sent_at to the first byte of the body (headers come long before it in some streams).
  std::chrono::milliseconds first_byte{0};
  // From when it had a connection to make or to use until it was over: the time that is not this
  // program's own. `began_at` is 0 where its turn never came.
  std::chrono::steady_clock::time_point began_at, ended_at;
};

// Where attempts are reported. Called on the thread that they run on; must not block or throw.
// After OnOutcome of an attempt nothing more is reported of it.
class Listener {
 public:
  virtual ~Listener() = default;
  virtual void OnDelta(std::int64_t attempt_id, ipc::ChatDelta delta) = 0;
  virtual void OnOutcome(std::int64_t attempt_id, Outcome outcome) = 0;
};

}  // namespace requestrouter::upstream
