#include "tests/support/sim/anthropic.h"

#include <algorithm>
#include <cstdio>
#include <ctime>

namespace requestrouter::sim {
namespace {

// Bodies and headers of errors name the request; here it is always the same.
constexpr char kRequestId[] = "req_simulated";

HttpResponse Error(int status, const char* type, const std::string& message) {
  HttpResponse response = JsonResponse(status, {{"type", "error"},
                                                {"error", {{"type", type}, {"message", message}}},
                                                {"request_id", kRequestId}});
  response.headers.emplace_back("request-id", kRequestId);
  return response;
}

const char* StopReason(const Said& said) {
  switch (said.finish) {
    case Finish::kLength:
      return "max_tokens";
    case Finish::kToolCalls:
      return "tool_use";
    case Finish::kContentFilter:
      return "refusal";
    case Finish::kStop:
      break;
  }
  return said.stop_sequence.empty() ? "end_turn" : "stop_sequence";
}

Json StopSequence(const Said& said) {
  return said.stop_sequence.empty() ? Json() : Json(said.stop_sequence);
}

Json UsageOf(const Usage& usage, std::int64_t output) {
  return {{"input_tokens", usage.input - usage.cached},
          {"cache_creation_input_tokens", 0},
          {"cache_read_input_tokens", usage.cached},
          {"output_tokens", output},
          {"service_tier", "standard"}};
}

Json Message(const Asked& asked, const Said& said) {
  char id[40];
  std::snprintf(id, sizeof id, "msg_sim%06llu", static_cast<unsigned long long>(said.number));
  return {{"id", id},
          {"type", "message"},
          {"role", "assistant"},
          {"model", asked.model},
          {"content", Json::array()},
          {"stop_reason", nullptr},
          {"stop_sequence", nullptr}};
}

Json ThinkingBlock(const std::string& thinking, const std::string& signature) {
  return {{"type", "thinking"}, {"thinking", thinking}, {"signature", signature}};
}

Json CallBlock(const Said& said, std::size_t index, Json input) {
  return {{"type", "tool_use"},
          {"id", CallId("toolu_", said, index)},
          {"name", said.tool_calls[index].name},
          {"input", std::move(input)}};
}

class Streamer {
 public:
  Streamer(const Asked& asked, const Said& said) : asked_(asked), said_(said) {}

  std::vector<std::string> Run() {
    Json message = Message(asked_, said_);
    message["usage"] = UsageOf(said_.usage, 1);
    Add("message_start", {{"message", std::move(message)}});
    AddThinking();
    AddText();
    for (std::size_t i = 0; i < said_.tool_calls.size(); ++i) AddCall(i);
    Add("message_delta",
        {{"delta", {{"stop_reason", StopReason(said_)}, {"stop_sequence", StopSequence(said_)}}},
         {"usage", UsageOf(said_.usage, said_.usage.output)}});
    Add("message_stop", Json::object());
    return std::move(events_);
  }

 private:
  void Add(const char* type, const Json& fields) {
    Json data = {{"type", type}};
    data.update(fields);
    events_.push_back(std::string("event: ") + type + "\ndata: " + Dump(data) + "\n\n");
  }
  void Begin(Json block) {
    Add("content_block_start", {{"index", index_}, {"content_block", std::move(block)}});
    // A ping may come anywhere; the provider sends one here.
    if (index_ == 0) Add("ping", Json::object());
  }
  void AddDelta(Json delta) {
    Add("content_block_delta", {{"index", index_}, {"delta", std::move(delta)}});
  }
  void End() { Add("content_block_stop", {{"index", index_++}}); }

  void AddThinking() {
    if (said_.reasoning.empty()) return;
    Begin(ThinkingBlock("", ""));
    for (const std::string& thought : Pieces(said_.reasoning, 0)) {
      AddDelta({{"type", "thinking_delta"}, {"thinking", thought}});
    }
    AddDelta({{"type", "signature_delta"}, {"signature", SignatureOf(said_.reasoning)}});
    End();
  }

  void AddText() {
    if (said_.text.empty()) return;
    Begin({{"type", "text"}, {"text", ""}});
    for (const std::string& text : Pieces(said_.text, said_.deltas)) {
      AddDelta({{"type", "text_delta"}, {"text", text}});
    }
    End();
  }

  void AddCall(std::size_t index) {
    Begin(CallBlock(said_, index, Json::object()));
    AddDelta({{"type", "input_json_delta"}, {"partial_json", ""}});
    for (const std::string& piece : Pieces(Dump(said_.tool_calls[index].arguments), 2)) {
      AddDelta({{"type", "input_json_delta"}, {"partial_json", piece}});
    }
    End();
  }

  const Asked& asked_;
  const Said& said_;
  std::size_t index_ = 0;
  std::vector<std::string> events_;
};

// RFC 3339 in whole seconds, as the headers have it. Rounded up: not earlier than it is true.
std::string TimeIn(Millis delay) {
  const std::time_t at = std::time(nullptr) + (delay.count() + 999) / 1000;
  std::tm utc{};
  gmtime_r(&at, &utc);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc);
  return text;
}

void AddQuota(const Quota::State* state, const std::string& what, Headers* headers) {
  if (!state) return;
  const std::string prefix = "anthropic-ratelimit-" + what;
  headers->emplace_back(prefix + "-limit", std::to_string(state->value));
  headers->emplace_back(prefix + "-remaining",
                        std::to_string(std::max<std::int64_t>(0, state->value - state->used)));
  headers->emplace_back(prefix + "-reset", TimeIn(state->empty_in));
}

const char* Words(Limit limit) {
  switch (limit) {
    case Limit::kRpm:
      return "requests per minute";
    case Limit::kRpd:
      return "requests per day";
    case Limit::kOutputTpm:
      return "output tokens per minute";
    case Limit::kTpd:
      return "tokens per day";
    case Limit::kTpm:
    case Limit::kInputTpm:
      break;
  }
  return "input tokens per minute";
}

}  // namespace

HttpResponse AnthropicDialect::Answer(const Asked& asked, const Said& said) const {
  Json body = Message(asked, said);
  Json& content = body["content"];
  if (!said.reasoning.empty()) {
    content.push_back(ThinkingBlock(said.reasoning, SignatureOf(said.reasoning)));
  }
  if (!said.text.empty()) content.push_back({{"type", "text"}, {"text", said.text}});
  for (std::size_t i = 0; i < said.tool_calls.size(); ++i) {
    content.push_back(CallBlock(said, i, said.tool_calls[i].arguments));
  }
  body["stop_reason"] = StopReason(said);
  body["stop_sequence"] = StopSequence(said);
  body["usage"] = UsageOf(said.usage, said.usage.output);
  HttpResponse response = JsonResponse(200, body);
  response.headers.emplace_back("request-id", kRequestId);
  return response;
}

std::vector<std::string> AnthropicDialect::Events(const Asked& asked, const Said& said) const {
  return Streamer(asked, said).Run();
}

std::string AnthropicDialect::ErrorEvent() const {
  return "event: error\ndata: " + ServerError(529).body + "\n\n";
}

HttpResponse AnthropicDialect::BadRequest(const std::string& message) const {
  return Error(400, "invalid_request_error", message);
}

HttpResponse AnthropicDialect::MissingKey() const {
  return Error(401, "authentication_error", "x-api-key header is required");
}

HttpResponse AnthropicDialect::InvalidKey() const {
  return Error(401, "authentication_error", "invalid x-api-key");
}

HttpResponse AnthropicDialect::NoCredit() const {
  return Error(400, "invalid_request_error",
               "Your credit balance is too low to access the Anthropic API. Please go to Plans & "
               "Billing to upgrade or purchase credits.");
}

HttpResponse AnthropicDialect::UnknownModel(const std::string& model) const {
  return Error(404, "not_found_error", "model: " + model);
}

HttpResponse AnthropicDialect::RateLimited(const Refusal& refusal, const std::string&) const {
  const Refusal::Violation& violation = refusal.violations.front();
  HttpResponse response = Error(
      429, "rate_limit_error",
      "This request would exceed your organization's rate limit of " +
          std::to_string(violation.value) + " " + Words(violation.limit) +
          ". For details, refer to: https://docs.claude.com/en/api/rate-limits. You can see the "
          "response headers for current usage. Please reduce the prompt length or the maximum "
          "tokens requested, or try again later.");
  response.headers.emplace_back("retry-after",
                                std::to_string((refusal.retry_after.count() + 999) / 1000));
  return response;
}

HttpResponse AnthropicDialect::ServerError(int status) const {
  if (status == 529 || status == 503) return Error(status, "overloaded_error", "Overloaded");
  if (status == 504) return Error(504, "timeout_error", "Request timed out");
  return Error(status, "api_error", "Internal server error");
}

Headers AnthropicDialect::QuotaHeaders(const std::vector<Quota::State>& states) const {
  Headers headers;
  const Quota::State* input = StateOf(states, Limit::kInputTpm);
  AddQuota(StateOf(states, Limit::kRpm), "requests", &headers);
  AddQuota(input ? input : StateOf(states, Limit::kTpm), "input-tokens", &headers);
  AddQuota(StateOf(states, Limit::kOutputTpm), "output-tokens", &headers);
  return headers;
}

const Dialect& Anthropic() {
  static const AnthropicDialect dialect;
  return dialect;
}

}  // namespace requestrouter::sim
