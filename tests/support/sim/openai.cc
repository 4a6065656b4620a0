#include "tests/support/sim/openai.h"

#include <algorithm>
#include <cstdio>

namespace requestrouter::sim {
namespace {

constexpr std::int64_t kCreated = 1'750'000'000;  // the same in every run

HttpResponse Error(int status, const std::string& message, const char* type, Json param,
                   Json code) {
  return JsonResponse(status, {{"error",
                                {{"message", message},
                                 {"type", type},
                                 {"param", std::move(param)},
                                 {"code", std::move(code)}}}});
}

const char* FinishName(Finish finish) {
  switch (finish) {
    case Finish::kLength:
      return "length";
    case Finish::kToolCalls:
      return "tool_calls";
    case Finish::kContentFilter:
      return "content_filter";
    case Finish::kStop:
      break;
  }
  return "stop";
}

Json UsageOf(const Usage& usage) {
  return {{"prompt_tokens", usage.input},
          {"completion_tokens", usage.output},
          {"total_tokens", usage.input + usage.output},
          {"prompt_tokens_details", {{"cached_tokens", usage.cached}, {"audio_tokens", 0}}},
          {"completion_tokens_details",
           {{"reasoning_tokens", usage.reasoning},
            {"audio_tokens", 0},
            {"accepted_prediction_tokens", 0},
            {"rejected_prediction_tokens", 0}}}};
}

Json Envelope(const char* object, const Asked& asked, const Said& said) {
  char id[40];
  std::snprintf(id, sizeof id, "chatcmpl-sim%06llu", static_cast<unsigned long long>(said.number));
  return {{"id", id}, {"object", object}, {"created", kCreated}, {"model", asked.model}};
}

Json Call(const Said& said, std::size_t index) {
  const ToolCall& call = said.tool_calls[index];
  return {{"id", CallId("call_", said, index)},
          {"type", "function"},
          {"function", {{"name", call.name}, {"arguments", Dump(call.arguments)}}}};
}

std::string Event(const Json& chunk) { return "data: " + Dump(chunk) + "\n\n"; }

class Streamer {
 public:
  Streamer(const Asked& asked, const Said& said) : asked_(asked), said_(said) {}

  std::vector<std::string> Run() {
    Add({{"role", "assistant"}, {"content", ""}, {"refusal", nullptr}});
    for (std::string& text : Pieces(said_.text, said_.deltas)) Add({{"content", std::move(text)}});
    for (std::size_t i = 0; i < said_.tool_calls.size(); ++i) AddCall(i);
    Add(Json::object(), FinishName(said_.finish));
    if (asked_.stream_usage) AddUsage();
    events_.push_back("data: [DONE]\n\n");
    return std::move(events_);
  }

 private:
  void Add(Json delta, Json finish = nullptr) {
    Json chunk = Envelope("chat.completion.chunk", asked_, said_);
    chunk["choices"] = Json::array({{{"index", 0},
                                     {"delta", std::move(delta)},
                                     {"logprobs", nullptr},
                                     {"finish_reason", std::move(finish)}}});
    if (asked_.stream_usage) chunk["usage"] = nullptr;
    events_.push_back(Event(chunk));
  }

  // The name comes first, the arguments in two pieces after it.
  void AddCall(std::size_t index) {
    Json call = Call(said_, index);
    const std::string arguments = call["function"]["arguments"];
    call["function"]["arguments"] = "";
    Json first = {{"index", index}};
    first.update(call);
    Add({{"tool_calls", Json::array({std::move(first)})}});
    for (std::string& piece : Pieces(arguments, 2)) {
      Add({{"tool_calls",
            Json::array({{{"index", index}, {"function", {{"arguments", std::move(piece)}}}}})}});
    }
  }

  void AddUsage() {
    Json chunk = Envelope("chat.completion.chunk", asked_, said_);
    chunk["choices"] = Json::array();
    chunk["usage"] = UsageOf(said_.usage);
    events_.push_back(Event(chunk));
  }

  const Asked& asked_;
  const Said& said_;
  std::vector<std::string> events_;
};

// "6ms", "1.5s", "1m0s", as Go prints durations.
std::string Duration(Millis time) {
  char text[48];
  const long long ms = time.count();
  if (ms < 1000) {
    std::snprintf(text, sizeof text, "%lldms", ms);
  } else if (ms < 60'000) {
    std::snprintf(text, sizeof text, "%gs", static_cast<double>(ms) / 1000);
  } else {
    std::snprintf(text, sizeof text, "%lldm%gs", ms / 60'000,
                  static_cast<double>(ms % 60'000) / 1000);
  }
  return text;
}

const char* Words(Limit limit) {
  switch (limit) {
    case Limit::kRpm:
      return "requests per min (RPM)";
    case Limit::kRpd:
      return "requests per day (RPD)";
    case Limit::kTpd:
      return "tokens per day (TPD)";
    case Limit::kTpm:
    case Limit::kInputTpm:
    case Limit::kOutputTpm:
      break;
  }
  return "tokens per min (TPM)";
}

void AddQuota(const Quota::State* state, const std::string& what, Headers* headers) {
  if (!state) return;
  headers->emplace_back("x-ratelimit-limit-" + what, std::to_string(state->value));
  headers->emplace_back("x-ratelimit-remaining-" + what,
                        std::to_string(std::max<std::int64_t>(0, state->value - state->used)));
  headers->emplace_back("x-ratelimit-reset-" + what, Duration(state->empty_in));
}

}  // namespace

HttpResponse OpenAiBadRequest(const std::string& message, const std::string& param,
                              const std::string& code) {
  return Error(400, message, "invalid_request_error", param.empty() ? Json() : Json(param),
               code.empty() ? Json() : Json(code));
}

HttpResponse OpenAiDialect::Answer(const Asked& asked, const Said& said) const {
  if (said.prompt_blocked)
    return OpenAiBadRequest("Your request was rejected as a result of our safety system.", "",
                            "content_policy_violation");
  Json message = {{"role", "assistant"},
                  {"content", said.tool_calls.empty() ? Json(said.text) : Json()},
                  {"refusal", nullptr},
                  {"annotations", Json::array()}};
  for (std::size_t i = 0; i < said.tool_calls.size(); ++i) {
    message["tool_calls"].push_back(Call(said, i));
  }
  Json body = Envelope("chat.completion", asked, said);
  body["choices"] = Json::array({{{"index", 0},
                                  {"message", std::move(message)},
                                  {"logprobs", nullptr},
                                  {"finish_reason", FinishName(said.finish)}}});
  body["usage"] = UsageOf(said.usage);
  body["service_tier"] = "default";
  return JsonResponse(200, body);
}

std::vector<std::string> OpenAiDialect::Events(const Asked& asked, const Said& said) const {
  return Streamer(asked, said).Run();
}

std::string OpenAiDialect::ErrorEvent() const { return "data: " + ServerError(500).body + "\n\n"; }

HttpResponse OpenAiDialect::BadRequest(const std::string& message) const {
  return OpenAiBadRequest(message, "", "");
}

HttpResponse OpenAiDialect::MissingKey() const {
  return Error(401,
               "You didn't provide an API key. You need to provide your API key in an "
               "Authorization header using Bearer auth (i.e. Authorization: Bearer YOUR_KEY).",
               "invalid_request_error", nullptr, nullptr);
}

HttpResponse OpenAiDialect::InvalidKey() const {
  return Error(401,
               "Incorrect API key provided: sk-*****. You can find your API key at "
               "https://platform.openai.com/account/api-keys.",
               "invalid_request_error", nullptr, "invalid_api_key");
}

HttpResponse OpenAiDialect::NoCredit() const {
  return Error(429,
               "You exceeded your current quota, please check your plan and billing details. For "
               "more information on this error, read the docs: "
               "https://platform.openai.com/docs/guides/error-codes/api-errors.",
               "insufficient_quota", nullptr, "insufficient_quota");
}

HttpResponse OpenAiDialect::UnknownModel(const std::string& model) const {
  return Error(404, "The model `" + model + "` does not exist or you do not have access to it.",
               "invalid_request_error", nullptr, "model_not_found");
}

HttpResponse OpenAiDialect::RateLimited(const Refusal& refusal, const std::string& model) const {
  const Refusal::Violation& violation = refusal.violations.front();
  HttpResponse response = Error(
      429,
      "Rate limit reached for " + model + " in organization org-simulated on " +
          Words(violation.limit) + ": Limit " + std::to_string(violation.value) + ", Used " +
          std::to_string(violation.used) + ", Requested " + std::to_string(violation.requested) +
          ". Please try again in " + Duration(refusal.retry_after) +
          ". Visit https://platform.openai.com/account/rate-limits to learn more.",
      IsOfTokens(violation.limit) ? "tokens" : "requests", nullptr, "rate_limit_exceeded");
  const long long ms = refusal.retry_after.count();
  response.headers.emplace_back("retry-after", std::to_string((ms + 999) / 1000));
  response.headers.emplace_back("retry-after-ms", std::to_string(ms));
  return response;
}

HttpResponse OpenAiDialect::ServerError(int status) const {
  if (status == 503) {
    return Error(503,
                 "That model is currently overloaded with other requests. You can retry your "
                 "request.",
                 "server_error", nullptr, nullptr);
  }
  return Error(status, "The server had an error while processing your request. Sorry about that!",
               "server_error", nullptr, nullptr);
}

Headers OpenAiDialect::QuotaHeaders(const std::vector<Quota::State>& states) const {
  Headers headers;
  const Quota::State* requests = StateOf(states, Limit::kRpm);
  AddQuota(requests ? requests : StateOf(states, Limit::kRpd), "requests", &headers);
  AddQuota(StateOf(states, Limit::kTpm), "tokens", &headers);
  return headers;
}

const Dialect& OpenAi() {
  static const OpenAiDialect dialect;
  return dialect;
}

}  // namespace requestrouter::sim
