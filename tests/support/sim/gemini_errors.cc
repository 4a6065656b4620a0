#include <algorithm>
#include <cstdio>

#include "tests/support/sim/gemini.h"

namespace requestrouter::sim {
namespace {

constexpr char kRateLimits[] = "https://ai.google.dev/gemini-api/docs/rate-limits";

HttpResponse Error(int code, const char* status, const std::string& message,
                   Json details = nullptr) {
  Json error = {{"code", code}, {"message", message}, {"status", status}};
  if (!details.is_null()) error["details"] = std::move(details);
  return JsonResponse(code, {{"error", std::move(error)}});
}

Json ErrorInfo(const char* reason) {
  return {{"@type", "type.googleapis.com/google.rpc.ErrorInfo"},
          {"reason", reason},
          {"domain", "googleapis.com"},
          {"metadata", {{"service", "generativelanguage.googleapis.com"}}}};
}

Json LocalizedMessage(const std::string& text) {
  return {{"@type", "type.googleapis.com/google.rpc.LocalizedMessage"},
          {"locale", "en-US"},
          {"message", text}};
}

const char* QuotaId(Limit limit) {
  switch (limit) {
    case Limit::kRpd:
      return "GenerateRequestsPerDayPerProjectPerModel-FreeTier";
    case Limit::kTpd:
      return "GenerateContentInputTokensPerModelPerDay-FreeTier";
    case Limit::kRpm:
      return "GenerateRequestsPerMinutePerProjectPerModel-FreeTier";
    case Limit::kTpm:
    case Limit::kInputTpm:
    case Limit::kOutputTpm:
      break;
  }
  return "GenerateContentInputTokensPerModelPerMinute-FreeTier";
}

std::string QuotaMetric(Limit limit) {
  return std::string("generativelanguage.googleapis.com/generate_content_free_tier_") +
         (IsOfTokens(limit) ? "input_token_count" : "requests");
}

Json Violation(const Refusal::Violation& violation, const std::string& model) {
  return {{"quotaMetric", QuotaMetric(violation.limit)},
          {"quotaId", QuotaId(violation.limit)},
          {"quotaDimensions", {{"location", "global"}, {"model", model}}},
          {"quotaValue", std::to_string(violation.value)}};
}

// A protobuf Duration: whole seconds as "17s", others with nine digits.
std::string Duration(Millis time) {
  char text[48];
  const long long seconds = time.count() / 1000, rest = time.count() % 1000;
  if (rest == 0) {
    std::snprintf(text, sizeof text, "%llds", seconds);
  } else {
    std::snprintf(text, sizeof text, "%lld.%03lld000000s", seconds, rest);
  }
  return text;
}

std::string ExceededMessage(const Refusal& refusal, const std::string& model) {
  std::string message =
      "You exceeded your current quota, please check your plan and billing details. For more "
      "information on this error, head to: " +
      std::string(kRateLimits) + ". ";
  for (const auto& violation : refusal.violations) {
    message += "\n* Quota exceeded for metric: " + QuotaMetric(violation.limit) +
               ", limit: " + std::to_string(violation.value) + ", model: " + model;
  }
  char retry[48];
  std::snprintf(retry, sizeof retry, "\nPlease retry in %.9gs.",
                static_cast<double>(refusal.retry_after.count()) / 1000);
  return message + retry;
}

}  // namespace

HttpResponse GeminiDialect::BadRequest(const std::string& message) const {
  return Error(400, "INVALID_ARGUMENT", message);
}

HttpResponse GeminiDialect::MissingKey() const {
  return Error(403, "PERMISSION_DENIED",
               "Method doesn't allow unregistered callers (callers without established identity). "
               "Please use API Key or other form of API consumer identity to call this API.");
}

HttpResponse GeminiDialect::InvalidKey() const {
  const std::string message = "API key not valid. Please pass a valid API key.";
  return Error(400, "INVALID_ARGUMENT", message,
               Json::array({ErrorInfo("API_KEY_INVALID"), LocalizedMessage(message)}));
}

HttpResponse GeminiDialect::NoCredit() const {
  return Error(403, "PERMISSION_DENIED",
               "This API method requires billing to be enabled. Please enable billing on project "
               "#1 and retry.",
               Json::array({ErrorInfo("BILLING_DISABLED")}));
}

HttpResponse GeminiDialect::UnknownModel(const std::string& model) const {
  return Error(404, "NOT_FOUND",
               "models/" + model +
                   " is not found for API version v1beta, or is not supported for "
                   "generateContent. Call ListModels to see the list of available models and their "
                   "supported methods.");
}

HttpResponse GeminiDialect::RateLimited(const Refusal& refusal, const std::string& model) const {
  Json violations = Json::array();
  for (const auto& violation : refusal.violations)
    violations.push_back(Violation(violation, model));
  const bool is_daily = std::any_of(refusal.violations.begin(), refusal.violations.end(),
                                    [](const auto& one) { return IsDaily(one.limit); });
  // Gemini's retryDelay of a spent day is not the time until the day's end.
  const Millis retry = is_daily ? Millis(0) : refusal.retry_after;
  return Error(
      429, "RESOURCE_EXHAUSTED", ExceededMessage({refusal.violations, retry}, model),
      Json::array({{{"@type", "type.googleapis.com/google.rpc.QuotaFailure"},
                    {"violations", std::move(violations)}},
                   {{"@type", "type.googleapis.com/google.rpc.Help"},
                    {"links", Json::array({{{"description", "Learn more about Gemini API quotas"},
                                            {"url", kRateLimits}}})}},
                   {{"@type", "type.googleapis.com/google.rpc.RetryInfo"},
                    {"retryDelay", Duration(retry)}}}));
}

HttpResponse GeminiDialect::ServerError(int status) const {
  if (status == 503) {
    return Error(503, "UNAVAILABLE", "The model is overloaded. Please try again later.");
  }
  if (status == 504) {
    return Error(504, "DEADLINE_EXCEEDED", "The request timed out. Please try again.");
  }
  return Error(status, "INTERNAL",
               "An internal error has occurred. Please retry or report in "
               "https://developers.generativeai.google/guide/troubleshooting");
}

std::string GeminiDialect::ErrorEvent() const {
  return "data: " + ServerError(503).body + "\r\n\r\n";
}

}  // namespace requestrouter::sim
