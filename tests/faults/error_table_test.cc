#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "daemon/faults/faults.h"
#include "daemon/policy/classifier.h"
#include "daemon/upstream/dialect.h"

// What providers answer when they refuse, from their references and from what users report (the
// place stands above each group), through the dialect that reads it and the classifier that judges.
namespace requestrouter::faults {
namespace {

using policy::FaultKind;
using upstream::ProviderKind;
using Headers = std::vector<std::pair<std::string, std::string>>;

constexpr auto kGemini = ProviderKind::kGemini;
constexpr auto kOpenAi = ProviderKind::kOpenAi;
constexpr auto kAnthropic = ProviderKind::kAnthropic;
constexpr std::int64_t kNone = -1;
constexpr std::int64_t kWallNow = 1'700'000'000;  // Tue, 14 Nov 2023 22:13:20 GMT

struct Row {
  std::string name;
  ProviderKind provider;
  int status;
  std::string body;
  FaultKind kind;
  std::int64_t retry_after_ms = kNone;
  std::string source = {};  // of the delay; empty: not looked at
  Headers headers = {};
};

void PrintTo(const Row& row, std::ostream* out) { *out << row.name; }

policy::Fault Judge(const Row& row) {
  upstream::Outcome outcome;
  outcome.status = row.status;
  outcome.headers = row.headers;
  outcome.error = upstream::DialectOf(row.provider).DecodeError(row.body);
  return policy::Classify(ToEvidence(outcome, kWallNow));
}

class ErrorTable : public ::testing::TestWithParam<Row> {};

TEST_P(ErrorTable, IsJudgedAsItIsMeant) {
  const Row& row = GetParam();
  const policy::Fault fault = Judge(row);
  EXPECT_EQ(fault.kind, row.kind);
  const std::int64_t delay =
      fault.retry_after
          ? std::chrono::duration_cast<std::chrono::milliseconds>(*fault.retry_after).count()
          : kNone;
  EXPECT_EQ(delay, row.retry_after_ms);
  if (!row.source.empty()) {
    EXPECT_EQ(fault.source, row.source);
  }
  EXPECT_FALSE(fault.reason.empty());
  EXPECT_FALSE(fault.message.empty());
}

std::string NameOf(const ::testing::TestParamInfo<Row>& row) { return row.param.name; }

// ---- Gemini: https://ai.google.dev/gemini-api/docs/troubleshooting and google.rpc.Status

std::string Google(int code, const std::string& status, const std::string& message,
                   const std::string& details = "") {
  return R"({"error":{"code":)" + std::to_string(code) + R"(,"message":")" + message +
         R"(","status":")" + status + R"(","details":[)" + details + "]}}";
}

std::string QuotaFailure(const std::vector<std::string>& ids) {
  std::string violations;
  for (const std::string& id : ids) {
    if (!violations.empty()) violations += ',';
    violations += R"({"quotaMetric":"generativelanguage.googleapis.com/x","quotaId":")" + id +
                  R"(","quotaDimensions":{"location":"global"},"quotaValue":"10"})";
  }
  return R"({"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":[)" + violations +
         "]}";
}

std::string RetryInfo(const std::string& delay) {
  return R"({"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":")" + delay + "\"}";
}

std::string ErrorInfo(const std::string& reason) {
  return R"({"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":")" + reason +
         R"(","domain":"googleapis.com"})";
}

const char* const kExceeded =
    "You exceeded your current quota, please check your plan and billing details.";
const char* const kPerMinute = "GenerateRequestsPerMinutePerProjectPerModel-FreeTier";
const char* const kTokensPerMinute = "GenerateContentInputTokensPerModelPerMinute-FreeTier";
const char* const kPerDay = "GenerateRequestsPerDayPerProjectPerModel-FreeTier";

// github.com/google-gemini/gemini-cli issues 2020, 8437, 14811; RooCodeInc/Roo-Code issue 3883;
// continuedev/continue issue 10290; gke-labs/gemini-for-kubernetes-development issue 1215.
INSTANTIATE_TEST_SUITE_P(
    Gemini, ErrorTable,
    ::testing::Values(
        Row{"minute_quota", kGemini, 429,
            Google(429, "RESOURCE_EXHAUSTED", kExceeded,
                   QuotaFailure({kPerMinute}) + "," + RetryInfo("26s")),
            FaultKind::kMinuteQuota, 26'000, "RetryInfo"},
        Row{"minute_quota_with_a_fraction", kGemini, 429,
            Google(429, "RESOURCE_EXHAUSTED", kExceeded,
                   QuotaFailure({kTokensPerMinute}) + "," + RetryInfo("36.786093714s")),
            FaultKind::kMinuteQuota, 36'787, "RetryInfo"},
        Row{"day_quota", kGemini, 429,
            Google(429, "RESOURCE_EXHAUSTED", kExceeded,
                   QuotaFailure({kPerDay}) + "," + RetryInfo("12s")),
            FaultKind::kDayQuota, kNone, "QuotaFailure"},
        Row{"minute_and_day_at_once", kGemini, 429,
            Google(429, "RESOURCE_EXHAUSTED", kExceeded,
                   QuotaFailure({kTokensPerMinute, kPerMinute, kPerDay}) + "," + RetryInfo("5s")),
            FaultKind::kDayQuota, kNone, "QuotaFailure"},
        Row{"without_details", kGemini, 429,
            Google(429, "RESOURCE_EXHAUSTED", "Resource has been exhausted (e.g. check quota)."),
            FaultKind::kMinuteQuota, kNone, "default"},
        Row{"delay_in_words_only", kGemini, 429,
            Google(429, "RESOURCE_EXHAUSTED", std::string(kExceeded) + " Please retry in 8.5s."),
            FaultKind::kMinuteQuota, 8'500, "error message"},
        Row{"in_a_list", kGemini, 429,
            "[" + Google(429, "RESOURCE_EXHAUSTED", "Resource exhausted.") + "]",
            FaultKind::kMinuteQuota, kNone, "default"},
        Row{"retry_info_beats_the_header",
            kGemini,
            429,
            Google(429, "RESOURCE_EXHAUSTED", kExceeded, RetryInfo("3s")),
            FaultKind::kMinuteQuota,
            3'000,
            "RetryInfo",
            {{"retry-after", "60"}}},
        Row{"invalid_key_as_400", kGemini, 400,
            Google(400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key.",
                   ErrorInfo("API_KEY_INVALID")),
            FaultKind::kKeyInvalid},
        Row{"invalid_key_without_details", kGemini, 400,
            Google(400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key."),
            FaultKind::kKeyInvalid},
        Row{"expired_key_as_400", kGemini, 400,
            Google(400, "INVALID_ARGUMENT", "API key expired. Please renew the API key.",
                   ErrorInfo("API_KEY_INVALID")),
            FaultKind::kKeyInvalid},
        Row{"leaked_key", kGemini, 403,
            Google(403, "PERMISSION_DENIED",
                   "Your API key was reported as leaked. Please use another API key."),
            FaultKind::kKeyInvalid},
        Row{"service_disabled", kGemini, 403,
            Google(403, "PERMISSION_DENIED", "Generative Language API has not been used",
                   ErrorInfo("SERVICE_DISABLED")),
            FaultKind::kKeyInvalid},
        Row{"suspended_consumer", kGemini, 403,
            Google(403, "PERMISSION_DENIED", "Permission denied: Consumer has been suspended.",
                   ErrorInfo("CONSUMER_SUSPENDED")),
            FaultKind::kKeyInvalid},
        Row{"no_permission_for_a_model", kGemini, 403,
            Google(403, "PERMISSION_DENIED", "You do not have access to the model."),
            FaultKind::kModel},
        Row{"no_free_tier_in_this_country", kGemini, 400,
            Google(400, "FAILED_PRECONDITION",
                   "Gemini API free tier is not available in your"
                   " country. Please enable billing."),
            FaultKind::kBilling},
        Row{"bad_request", kGemini, 400,
            Google(400, "INVALID_ARGUMENT", "* GenerateContentRequest.contents: not specified"),
            FaultKind::kRequest},
        Row{"unknown_model", kGemini, 404,
            Google(404, "NOT_FOUND", "models/x is not found for API version v1beta"),
            FaultKind::kModel},
        Row{"internal", kGemini, 500, Google(500, "INTERNAL", "An internal error has occurred."),
            FaultKind::kProvider},
        Row{"overloaded", kGemini, 503,
            Google(503, "UNAVAILABLE", "The model is overloaded. Please try again later."),
            FaultKind::kProvider},
        Row{"deadline_exceeded", kGemini, 504,
            Google(504, "DEADLINE_EXCEEDED", "Deadline expired before operation could complete."),
            FaultKind::kProvider},
        Row{"cancelled", kGemini, 499, Google(499, "CANCELLED", "The operation was cancelled."),
            FaultKind::kProvider},
        Row{"unauthenticated", kGemini, 401,
            Google(401, "UNAUTHENTICATED", "Request had invalid authentication credentials."),
            FaultKind::kKeyInvalid}),
    NameOf);

// ---- OpenAI: https://platform.openai.com/docs/guides/error-codes and /rate-limits

std::string OpenAi(const std::string& message, const std::string& type, const std::string& code) {
  return R"({"error":{"message":")" + message + R"(","type":")" + type +
         R"(","param":null,"code":)" + (code.empty() ? "null" : "\"" + code + "\"") + "}}";
}

// openai/codex issue 88, DrShushen/climb issue 13, semanser/codel issue 72,
// BuilderIO/micro-agent issue 86.
INSTANTIATE_TEST_SUITE_P(
    OpenAi, ErrorTable,
    ::testing::Values(
        Row{"tokens_a_minute_with_a_header",
            kOpenAi,
            429,
            OpenAi("Rate limit reached for o4-mini in organization org-1 on tokens per min (TPM):"
                   " Limit 200000, Used 162960, Requested 42288. Please try again in 1.574s.",
                   "tokens", "rate_limit_exceeded"),
            FaultKind::kMinuteQuota,
            2'000,
            "retry-after header",
            {{"retry-after", "2"}}},
        Row{"milliseconds_header_is_more_exact",
            kOpenAi,
            429,
            OpenAi("Rate limit reached", "requests", "rate_limit_exceeded"),
            FaultKind::kMinuteQuota,
            1'574,
            "retry-after-ms header",
            {{"retry-after", "2"}, {"retry-after-ms", "1574"}}},
        Row{"delay_in_words", kOpenAi, 429,
            OpenAi("Rate limit reached for gpt-4 on tokens per min (TPM): Limit 10000, Used 8554,"
                   " Requested 3082. Please try again in 9.816s. Visit https://x to learn more.",
                   "tokens", "rate_limit_exceeded"),
            FaultKind::kMinuteQuota, 9'816, "error message"},
        Row{"delay_in_words_in_milliseconds", kOpenAi, 429,
            OpenAi("Rate limit reached on tokens per min (TPM). Please try again in 644ms.",
                   "tokens", "rate_limit_exceeded"),
            FaultKind::kMinuteQuota, 644, "error message"},
        Row{"reset_of_the_spent_limit",
            kOpenAi,
            429,
            OpenAi("Rate limit reached", "requests", "rate_limit_exceeded"),
            FaultKind::kMinuteQuota,
            80'000,
            "x-ratelimit-reset-requests header",
            {{"x-ratelimit-remaining-requests", "0"},
             {"x-ratelimit-reset-requests", "1m20s"},
             {"x-ratelimit-remaining-tokens", "90"},
             {"x-ratelimit-reset-tokens", "20ms"}}},
        Row{"retry_after_as_a_date",
            kOpenAi,
            429,
            OpenAi("Rate limit reached", "requests", "rate_limit_exceeded"),
            FaultKind::kMinuteQuota,
            40'000,
            "retry-after header",
            {{"retry-after", "Tue, 14 Nov 2023 22:14:00 GMT"}}},
        Row{"retry_after_as_a_date_in_the_past",
            kOpenAi,
            429,
            OpenAi("Rate limit reached", "requests", "rate_limit_exceeded"),
            FaultKind::kMinuteQuota,
            0,
            "retry-after header",
            {{"retry-after", "Tue, 14 Nov 2023 22:13:00 GMT"}}},
        Row{"retry_after_with_a_fraction",
            kOpenAi,
            429,
            OpenAi("Rate limit reached", "requests", "rate_limit_exceeded"),
            FaultKind::kMinuteQuota,
            500,
            "retry-after header",
            {{"retry-after", "0.5"}}},
        Row{"retry_after_that_is_garbage",
            kOpenAi,
            429,
            OpenAi("Rate limit reached", "requests", "rate_limit_exceeded"),
            FaultKind::kMinuteQuota,
            kNone,
            "default",
            {{"retry-after", "soon"}}},
        Row{"retry_after_that_is_negative",
            kOpenAi,
            429,
            OpenAi("Rate limit reached", "requests", "rate_limit_exceeded"),
            FaultKind::kMinuteQuota,
            0,
            "retry-after header",
            {{"retry-after", "-5"}}},
        Row{"retry_after_of_a_year",
            kOpenAi,
            429,
            OpenAi("Rate limit reached", "requests", "rate_limit_exceeded"),
            FaultKind::kMinuteQuota,
            86'400'000,
            "retry-after header",
            {{"retry-after", "31536000"}}},
        Row{"requests_a_day", kOpenAi, 429,
            OpenAi("Rate limit reached for gpt-4o on requests per day (RPD): Limit 200, Used 200,"
                   " Requested 1. Please try again in 7m12s.",
                   "requests", "rate_limit_exceeded"),
            FaultKind::kDayQuota, kNone, "error message"},
        Row{"larger_than_a_minute", kOpenAi, 429,
            OpenAi("Request too large for gpt-4o in organization org-1 on tokens per min (TPM):"
                   " Limit 30000, Requested 30601.",
                   "tokens", "rate_limit_exceeded"),
            FaultKind::kRequest},
        Row{"no_credit_as_429", kOpenAi, 429,
            OpenAi(kExceeded, "insufficient_quota", "insufficient_quota"), FaultKind::kBilling},
        Row{"billing_limit_as_400", kOpenAi, 400,
            OpenAi("Billing hard limit has been reached", "invalid_request_error",
                   "billing_hard_limit_reached"),
            FaultKind::kBilling},
        Row{"invalid_key", kOpenAi, 401,
            OpenAi("Incorrect API key provided: sk-ab***yz.", "invalid_request_error",
                   "invalid_api_key"),
            FaultKind::kKeyInvalid},
        Row{"not_in_an_organization", kOpenAi, 401,
            OpenAi("You must be a member of an organization to use the API",
                   "invalid_request_error", ""),
            FaultKind::kKeyInvalid},
        Row{"country", kOpenAi, 403,
            OpenAi("Country, region, or territory not supported", "request_forbidden",
                   "unsupported_country_region_territory"),
            FaultKind::kKeyInvalid},
        Row{"model_of_another_project", kOpenAi, 403,
            OpenAi("Project `p` does not have access to model `gpt-5`", "invalid_request_error",
                   "model_not_found"),
            FaultKind::kModel},
        Row{"unknown_model", kOpenAi, 404,
            OpenAi("The model `x` does not exist", "invalid_request_error", "model_not_found"),
            FaultKind::kModel},
        Row{"too_long", kOpenAi, 400,
            OpenAi("This model's maximum context length is 8192 tokens", "invalid_request_error",
                   "context_length_exceeded"),
            FaultKind::kRequest},
        Row{"bad_request", kOpenAi, 400,
            OpenAi("Unsupported value: 'temperature'", "invalid_request_error",
                   "unsupported_value"),
            FaultKind::kRequest},
        Row{"content_policy", kOpenAi, 400,
            OpenAi("Your request was rejected by our safety system", "invalid_request_error",
                   "content_policy_violation"),
            FaultKind::kContent},
        Row{"server_error", kOpenAi, 500,
            OpenAi("The server had an error while processing your request", "server_error", ""),
            FaultKind::kProvider},
        Row{"overloaded", kOpenAi, 503,
            OpenAi("The engine is currently overloaded, please try again later", "server_error",
                   ""),
            FaultKind::kProvider}),
    NameOf);

// ---- Anthropic: https://docs.anthropic.com/en/api/errors and /rate-limits

std::string Anthropic(const std::string& type, const std::string& message) {
  return R"({"type":"error","error":{"type":")" + type + R"(","message":")" + message +
         R"("},"request_id":"req_1"})";
}

// anthropics/claude-code issues 627, 4684 and 66314; FoundationAgents/OpenManus issue 746.
INSTANTIATE_TEST_SUITE_P(
    Anthropic, ErrorTable,
    ::testing::Values(
        Row{"rate_limit",
            kAnthropic,
            429,
            Anthropic("rate_limit_error",
                      "This request would exceed the rate limit for your"
                      " organization of 20,000 input tokens per minute."),
            FaultKind::kMinuteQuota,
            17'000,
            "retry-after header",
            {{"retry-after", "17"}}},
        Row{"reset_of_the_spent_limit",
            kAnthropic,
            429,
            Anthropic("rate_limit_error", "too many"),
            FaultKind::kMinuteQuota,
            20'000,
            "anthropic-ratelimit-input-tokens-reset header",
            {{"anthropic-ratelimit-requests-remaining", "3"},
             {"anthropic-ratelimit-requests-reset", "2023-11-14T22:13:21Z"},
             {"anthropic-ratelimit-input-tokens-remaining", "0"},
             {"anthropic-ratelimit-input-tokens-reset", "2023-11-14T22:13:40Z"}}},
        Row{"tokens_a_day", kAnthropic, 429,
            Anthropic("rate_limit_error",
                      "Number of request tokens has exceeded your daily rate"
                      " limit (1,000,000 tokens per day)"),
            FaultKind::kDayQuota, kNone, "error message"},
        Row{"overloaded", kAnthropic, 529, Anthropic("overloaded_error", "Overloaded"),
            FaultKind::kProvider},
        Row{"api_error", kAnthropic, 500, Anthropic("api_error", "Internal server error"),
            FaultKind::kProvider},
        Row{"timeout_error", kAnthropic, 504, Anthropic("timeout_error", "Request timed out"),
            FaultKind::kProvider},
        Row{"invalid_key", kAnthropic, 401, Anthropic("authentication_error", "invalid x-api-key"),
            FaultKind::kKeyInvalid},
        Row{"no_permission", kAnthropic, 403,
            Anthropic("permission_error", "Your API key does not have permission to use this"),
            FaultKind::kKeyInvalid},
        Row{"no_credit_as_400", kAnthropic, 400,
            Anthropic("invalid_request_error",
                      "Your credit balance is too low to access the"
                      " Anthropic API. Please go to Plans & Billing."),
            FaultKind::kBilling},
        Row{"billing_error", kAnthropic, 402, Anthropic("billing_error", "Payment required"),
            FaultKind::kBilling},
        Row{"own_spending_limit_as_400", kAnthropic, 400,
            Anthropic("invalid_request_error",
                      "You have reached your specified API usage limits."
                      " You will regain access on 2026-01-01"),
            FaultKind::kBilling},
        Row{"disabled_organization_as_400", kAnthropic, 400,
            Anthropic("invalid_request_error", "This organization has been disabled."),
            FaultKind::kKeyInvalid},
        Row{"unknown_model", kAnthropic, 404, Anthropic("not_found_error", "model: claude-x"),
            FaultKind::kModel},
        Row{"too_long", kAnthropic, 400,
            Anthropic("invalid_request_error",
                      "prompt is too long: 208310 tokens > 200000 maximum"),
            FaultKind::kRequest},
        Row{"too_large", kAnthropic, 413,
            Anthropic("request_too_large", "Request exceeds the maximum size"),
            FaultKind::kRequest}),
    NameOf);

// ---- servers that call themselves compatible

// Aider-AI/aider issue 4851 (DeepSeek), console.groq.com/docs/errors, openrouter.ai/docs/
// api-reference/errors, docs.mistral.ai, docs.x.ai, Azure's and vLLM's answers; the proxies in
// front of them.
INSTANTIATE_TEST_SUITE_P(
    Compatible, ErrorTable,
    ::testing::Values(
        Row{"deepseek_without_balance", kOpenAi, 402,
            OpenAi("Insufficient Balance", "unknown_error", "invalid_request_error"),
            FaultKind::kBilling},
        Row{"deepseek_without_balance_as_400", kOpenAi, 400,
            OpenAi("Insufficient Balance", "unknown_error", "invalid_request_error"),
            FaultKind::kBilling},
        Row{"groq_tokens_a_day", kOpenAi, 429,
            OpenAi("Rate limit reached for model `m` on tokens per day (TPD): Limit 100000, Used"
                   " 99000, Requested 1700. Please try again in 10m4.8s.",
                   "tokens", "rate_limit_exceeded"),
            FaultKind::kDayQuota},
        Row{"groq_requests_a_minute", kOpenAi, 429,
            OpenAi("Rate limit reached for model `m` on requests per minute (RPM): Limit 30, Used"
                   " 30, Requested 1. Please try again in 2s.",
                   "requests", "rate_limit_exceeded"),
            FaultKind::kMinuteQuota, 2'000, "error message"},
        Row{"groq_larger_than_a_minute_as_413", kOpenAi, 413,
            OpenAi("Request too large for model `m` on tokens per minute (TPM): Limit 6000,"
                   " Requested 7000",
                   "tokens", "rate_limit_exceeded"),
            FaultKind::kRequest},
        Row{"groq_capacity_as_498", kOpenAi, 498, OpenAi("Flex capacity exceeded", "x", ""),
            FaultKind::kProvider},
        Row{"openrouter_without_credits", kOpenAi, 402,
            R"({"error":{"code":402,"message":"Insufficient credits. Add more at the site"}})",
            FaultKind::kBilling},
        Row{"openrouter_moderation_as_403", kOpenAi, 403,
            R"({"error":{"code":403,"message":"x requires moderation on OpenRouter. Your input was)"
            R"( flagged for \"violence\".","metadata":{"reasons":["violence"]}}})",
            FaultKind::kContent},
        Row{"openrouter_rate_limit_in_a_200", kOpenAi, 200,
            R"({"error":{"code":429,"message":"Provider returned error"}})",
            FaultKind::kMinuteQuota},
        Row{"openrouter_bad_gateway_in_a_200", kOpenAi, 200,
            R"({"error":{"code":502,"message":"Provider returned error"}})", FaultKind::kProvider},
        Row{"mistral_rate_limit", kOpenAi, 429,
            R"({"object":"error","message":"Requests rate limit exceeded","type":"rate_limited",)"
            R"("param":null,"code":"1300"})",
            FaultKind::kMinuteQuota},
        Row{"mistral_capacity", kOpenAi, 429,
            R"({"object":"error","message":"Service tier capacity exceeded for this model.",)"
            R"("type":"service_tier_capacity_exceeded","param":null,"code":"3505"})",
            FaultKind::kMinuteQuota},
        Row{"mistral_unauthorised", kOpenAi, 401, R"({"message":"Unauthorized","request_id":"r"})",
            FaultKind::kKeyInvalid},
        Row{"mistral_validation", kOpenAi, 422, R"({"detail":[{"loc":["body"],"msg":"missing"}]})",
            FaultKind::kRequest},
        Row{"azure_rate_limit", kOpenAi, 429,
            R"({"error":{"code":"429","message":"Requests to the ChatCompletions_Create Operation)"
            R"( have exceeded the token rate limit. Please retry after 26 seconds."}})",
            FaultKind::kMinuteQuota, 26'000, "error message"},
        Row{"azure_content_filter", kOpenAi, 400,
            OpenAi("The response was filtered", "", "content_filter"), FaultKind::kContent},
        Row{"xai_without_credits_as_403", kOpenAi, 403,
            R"({"code":"The caller does not have permission","error":"Your team has either used)"
            R"( all available credits or reached its monthly spending limit."})",
            FaultKind::kBilling},
        Row{"vllm_too_long", kOpenAi, 400,
            R"({"error":{"message":"maximum context length is 4096","type":"BadRequestError",)"
            R"("param":null,"code":400}})",
            FaultKind::kRequest},
        Row{"vllm_unknown_model", kOpenAi, 404,
            R"({"error":{"message":"The model `x` does not exist.","type":"NotFoundError",)"
            R"("param":"model","code":404}})",
            FaultKind::kModel},
        Row{"ollama_unknown_model", kOpenAi, 404, R"({"error":"model 'x' not found"})",
            FaultKind::kModel},
        Row{"llama_cpp_is_loading", kOpenAi, 503,
            R"({"error":{"code":503,"message":"Loading model","type":"unavailable_error"}})",
            FaultKind::kProvider},
        Row{"litellm_in_front_of_anthropic", kOpenAi, 429,
            OpenAi("This request would exceed the rate limit for your organization of 20,000 input"
                   " tokens per minute.",
                   "invalid_request_error", "rate_limit_error"),
            FaultKind::kMinuteQuota},
        Row{"html_of_a_gateway", kOpenAi, 502, "<html><body>502 Bad Gateway</body></html>",
            FaultKind::kProvider},
        Row{"html_of_a_gateway_with_a_delay",
            kGemini,
            503,
            "<html>503</html>",
            FaultKind::kProvider,
            30'000,
            "retry-after header",
            {{"retry-after", "30"}}},
        Row{"html_rate_limit", kAnthropic, 429, "<html>error code: 1015</html>",
            FaultKind::kMinuteQuota, kNone, "default"},
        Row{"html_of_a_firewall", kOpenAi, 403, "<html>Attention Required!</html>",
            FaultKind::kProvider},
        Row{"html_too_large", kGemini, 413, "<html>413 Request Entity Too Large</html>",
            FaultKind::kRequest},
        Row{"html_of_a_captive_portal", kOpenAi, 407, "<html>Please log in</html>",
            FaultKind::kProvider},
        Row{"cloudflare_timeout", kOpenAi, 524, "error code: 524", FaultKind::kProvider},
        Row{"plain_unauthorised", kOpenAi, 401, "Unauthorized", FaultKind::kKeyInvalid},
        Row{"truncated_json", kGemini, 429, R"({"error":{"code":429,"mess)",
            FaultKind::kMinuteQuota, kNone, "default"},
        Row{"truncated_json_of_a_500", kAnthropic, 500, R"({"type":"error","err)",
            FaultKind::kProvider},
        Row{"empty_body", kOpenAi, 500, "", FaultKind::kProvider},
        Row{"empty_body_of_a_429", kOpenAi, 429, "", FaultKind::kMinuteQuota, kNone, "default"}),
    NameOf);

// continuedev/continue issue 12781, google-gemini/gemini-cli issue 16205, Gitlawb/openclaude issue
// 936, astrio-labs/forall issue 76, anomalyco/opencode issue 24462, tmc/langchaingo issue 1233,
// ggml-org/llama.cpp pull request 15780.
INSTANTIATE_TEST_SUITE_P(
    Reported, ErrorTable,
    ::testing::Values(
        Row{"gemini_key_not_meant_for_this_service", kGemini, 403,
            Google(403, "PERMISSION_DENIED", "Requests to this API method are blocked.",
                   ErrorInfo("API_KEY_SERVICE_BLOCKED")),
            FaultKind::kKeyInvalid},
        Row{"gemini_day_in_words_only", kGemini, 429,
            Google(429, "RESOURCE_EXHAUSTED", "You have exhausted your daily quota on this model."),
            FaultKind::kDayQuota, kNone, "error message"},
        Row{"openrouter_free_models_a_day", kOpenAi, 429,
            R"({"error":{"message":"Rate limit exceeded: free-models-per-day. Add 10 credits to)"
            R"( unlock 1000","code":429,"metadata":{"headers":{"X-RateLimit-Limit":"50"}}}})",
            FaultKind::kDayQuota, kNone, "error message"},
        Row{"openrouter_credits_for_fewer_tokens", kOpenAi, 402,
            R"({"error":{"message":"This request requires more credits, or fewer max_tokens.",)"
            R"("code":402,"metadata":{"provider_name":null}}})",
            FaultKind::kBilling},
        Row{"moonshot_without_balance", kOpenAi, 429,
            OpenAi("Your account is suspended, please check your plan and billing details",
                   "exceeded_current_quota_error", ""),
            FaultKind::kBilling},
        Row{"moonshot_without_balance_behind_a_gateway", kOpenAi, 429,
            R"({"error":{"message":"Provider returned error","code":429,"metadata":{"raw":)"
            R"("{\"error\":{\"message\":\"suspended due to insufficient balance\"}}"}}})",
            FaultKind::kBilling},
        Row{"mistral_unknown_model_as_400", kOpenAi, 400,
            R"({"object":"error","message":"Invalid model: x","type":"invalid_model",)"
            R"("param":null,"code":"1500"})",
            FaultKind::kModel},
        Row{"llama_cpp_too_long_as_500", kOpenAi, 500,
            R"({"error":{"code":500,"message":"the request exceeds the available context size",)"
            R"("type":"exceed_context_size_error","n_prompt_tokens":1407,"n_ctx":256}})",
            FaultKind::kRequest},
        Row{"redirect_of_a_captive_portal", kOpenAi, 302, "<html>Moved</html>",
            FaultKind::kProvider},
        Row{"redirect_without_a_body", kGemini, 308, "", FaultKind::kProvider}),
    NameOf);

}  // namespace
}  // namespace requestrouter::faults
