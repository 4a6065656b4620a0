#include "daemon/policy/classifier.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <system_error>

#include "daemon/policy/lower_case.h"
#include "daemon/policy/retry_after.h"

namespace requestrouter::policy {
namespace {

bool Contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

struct Rule {
  std::string_view word;
  FaultKind kind;
};

// Codes that mean the same whatever the status. They come before the status because providers
// report a refused key as 400 (Gemini) and an empty account as 400 (Anthropic) or 429 (OpenAI).
//   Gemini: https://ai.google.dev/gemini-api/docs/troubleshooting, google.rpc.ErrorInfo reasons
//   OpenAI: https://platform.openai.com/docs/guides/error-codes
//   Anthropic: https://docs.anthropic.com/en/api/errors
constexpr std::array kCodes = {
    Rule{"api_key_invalid", FaultKind::kKeyInvalid},
    Rule{"api_key_expired", FaultKind::kKeyInvalid},
    Rule{"api_key_service_blocked", FaultKind::kKeyInvalid},
    Rule{"consumer_suspended", FaultKind::kKeyInvalid},
    Rule{"service_disabled", FaultKind::kKeyInvalid},
    Rule{"invalid_api_key", FaultKind::kKeyInvalid},
    Rule{"authentication_error", FaultKind::kKeyInvalid},
    Rule{"unauthenticated", FaultKind::kKeyInvalid},
    Rule{"account_deactivated", FaultKind::kKeyInvalid},
    Rule{"invalid_auth", FaultKind::kKeyInvalid},
    Rule{"failed_precondition", FaultKind::kBilling},  // Gemini: no free tier in this country
    Rule{"billing_disabled", FaultKind::kBilling},
    Rule{"insufficient_quota", FaultKind::kBilling},
    Rule{"billing_hard_limit_reached", FaultKind::kBilling},
    Rule{"billing_not_active", FaultKind::kBilling},
    Rule{"billing_error", FaultKind::kBilling},
    Rule{"insufficient_balance", FaultKind::kBilling},
    Rule{"exceeded_current_quota_error", FaultKind::kBilling},  // Moonshot: no balance
    Rule{"invalid_model", FaultKind::kModel},                   // Mistral, as a 400
    Rule{"model_not_found", FaultKind::kModel},
    Rule{"model_not_available", FaultKind::kModel},
    Rule{"model_decommissioned", FaultKind::kModel},
    Rule{"context_length_exceeded", FaultKind::kRequest},
    Rule{"exceed_context_size_error", FaultKind::kRequest},  // llama.cpp, once as a 500
    Rule{"string_above_max_length", FaultKind::kRequest},
    Rule{"content_policy_violation", FaultKind::kContent},
    Rule{"content_filter", FaultKind::kContent},
    Rule{"overloaded_error", FaultKind::kProvider},
    Rule{"server_error", FaultKind::kProvider},
    Rule{"rate_limit_error", FaultKind::kMinuteQuota},
    Rule{"rate_limit_exceeded", FaultKind::kMinuteQuota},
    Rule{"resource_exhausted", FaultKind::kMinuteQuota},
};

// Phrases of messages, in lower case, that say more than the code they come with.
constexpr std::array kDecisivePhrases = {
    // OpenAI and Groq call a request that no minute has room for a rate limit (429 and 413).
    Rule{"request too large for", FaultKind::kRequest},
};

// Phrases for errors whose code says less: lower case. Each was seen with a status or code that
// says something else.
constexpr std::array kPhrases = {
    // OpenRouter's moderation answers 403 (https://openrouter.ai/docs/api-reference/errors).
    Rule{"requires moderation", FaultKind::kContent},
    Rule{"input was flagged", FaultKind::kContent},
    Rule{"organization has been disabled", FaultKind::kKeyInvalid},
    Rule{"reached your specified api usage limits", FaultKind::kBilling},
    Rule{"used all available credits", FaultKind::kBilling},
    Rule{"api key not valid", FaultKind::kKeyInvalid},
    Rule{"api key expired", FaultKind::kKeyInvalid},
    Rule{"invalid api key", FaultKind::kKeyInvalid},
    Rule{"incorrect api key", FaultKind::kKeyInvalid},
    Rule{"credit balance is too low", FaultKind::kBilling},
    Rule{"insufficient balance", FaultKind::kBilling},
    Rule{"insufficient credits", FaultKind::kBilling},
    Rule{"exceeded your current quota, please check your plan and billing", FaultKind::kBilling},
};

std::optional<FaultKind> ByCode(const Evidence& evidence) {
  std::vector<std::string> codes = {LowerCase(evidence.code), LowerCase(evidence.type)};
  for (const std::string& reason : evidence.reasons) codes.push_back(LowerCase(reason));
  for (const Rule& rule : kCodes) {
    if (std::find(codes.begin(), codes.end(), rule.word) != codes.end()) return rule.kind;
  }
  return std::nullopt;
}

template <typename Rules>
std::optional<FaultKind> ByPhrase(const Rules& rules, const Evidence& evidence) {
  const std::string message = LowerCase(evidence.message);
  for (const Rule& rule : rules) {
    if (Contains(message, rule.word)) return rule.kind;
  }
  return std::nullopt;
}

// Some servers answer 200 and put the status of what went wrong into the error (OpenRouter).
int StatusOf(const Evidence& evidence) {
  if (evidence.status >= 400) return evidence.status;
  int status = 0;
  const std::string& code = evidence.code;
  const auto [end, error] = std::from_chars(code.data(), code.data() + code.size(), status);
  const bool whole = error == std::errc() && end == code.data() + code.size();
  return whole && status >= 400 && status < 600 ? status : evidence.status;
}

// A 403 in words that are no provider's is a firewall's, and says nothing of the key.
FaultKind Forbidden(const Evidence& evidence) {
  if (!evidence.readable) return FaultKind::kProvider;
  return Contains(LowerCase(evidence.message), "model") ? FaultKind::kModel
                                                        : FaultKind::kKeyInvalid;
}

// Of a 404: whether the model is missing or the address is wrong; both leave the key out for this
// model only. 498 is Groq's "capacity exceeded", 499 Google's CANCELLED.
FaultKind ByStatus(int status, const Evidence& evidence) {
  switch (status) {
    case 401:
      return FaultKind::kKeyInvalid;
    case 402:
      return FaultKind::kBilling;
    case 403:
      return Forbidden(evidence);
    case 404:
      return FaultKind::kModel;
    case 413:
    case 414:
    case 431:
      return FaultKind::kRequest;
    case 408:
    case 409:
    case 425:
    case 498:
    case 499:
      return FaultKind::kProvider;
    case 429:
      return FaultKind::kMinuteQuota;
    default:
      break;
  }
  if (status >= 500) return FaultKind::kProvider;
  // A 4xx in words that are no provider's: a proxy or a captive portal answered.
  if (status >= 400) return evidence.readable ? FaultKind::kRequest : FaultKind::kProvider;
  return FaultKind::kProvider;
}

// OpenAI and compatible servers name the quota of a 429 in words only.
bool NamesADay(const Evidence& evidence) {
  for (const std::string& id : evidence.quota_ids) {
    if (Contains(id, "PerDay")) return true;
  }
  const std::string message = LowerCase(evidence.message);
  for (const char* word : {"per day", "per-day", "daily", "(rpd)", "(tpd)"}) {
    if (Contains(message, word)) return true;
  }
  return false;
}

FaultKind KindOfAnswer(const Evidence& evidence) {
  if (evidence.blocked) return FaultKind::kContent;
  // Redirects are not followed, so one is a failure too.
  const bool failed = evidence.status >= 300 || evidence.readable;
  if (!failed) return FaultKind::kNone;
  if (const auto kind = ByPhrase(kDecisivePhrases, evidence)) return *kind;
  std::optional<FaultKind> kind = ByCode(evidence);
  // A quota's words in Gemini's and OpenAI's 429 are alike; only OpenAI's code means no credit.
  if (!kind || (*kind == FaultKind::kRequest)) {
    const std::optional<FaultKind> phrase = ByPhrase(kPhrases, evidence);
    if (phrase) kind = phrase;
  }
  const FaultKind found = kind.value_or(ByStatus(StatusOf(evidence), evidence));
  if (found == FaultKind::kMinuteQuota && NamesADay(evidence)) return FaultKind::kDayQuota;
  return found;
}

FaultKind KindOf(const Evidence& evidence) {
  switch (evidence.transport) {
    case TransportResult::kNotSent:
    case TransportResult::kTimeout:
      return FaultKind::kNetwork;
    case TransportResult::kInterrupted:
      return evidence.readable ? KindOfAnswer(evidence) : FaultKind::kNetwork;
    case TransportResult::kUnreadable:
      return evidence.readable ? KindOfAnswer(evidence) : FaultKind::kProvider;
    case TransportResult::kOk:
      break;
  }
  return KindOfAnswer(evidence);
}

std::string ReasonOf(const Evidence& evidence, FaultKind kind) {
  switch (evidence.transport) {
    case TransportResult::kNotSent:
      return "not reachable";
    case TransportResult::kTimeout:
      return "time-out";
    case TransportResult::kInterrupted:
      if (!evidence.readable) return "connection lost";
      break;
    case TransportResult::kUnreadable:
      if (!evidence.readable) return "unreadable answer";
      break;
    case TransportResult::kOk:
      break;
  }
  if (kind == FaultKind::kContent && evidence.blocked) return "blocked";
  std::string reason = std::to_string(evidence.status);
  for (const std::string* word : {&evidence.code, &evidence.type}) {
    if (word->empty()) continue;
    reason += " " + *word;
    break;
  }
  return reason;
}

// A daily quota is over at the provider's reset, whatever delay comes with it.
void FillDelay(const Evidence& evidence, Fault& fault) {
  if (fault.kind == FaultKind::kDayQuota) {
    fault.source = evidence.quota_ids.empty() ? "error message" : "QuotaFailure";
    return;
  }
  if (evidence.retry_delay) {
    fault.retry_after =
        std::clamp<Duration>(*evidence.retry_delay, Duration::zero(), kLongestDelay);
    fault.source = "RetryInfo";
    return;
  }
  if (const auto told = ReadDelay(evidence.headers, evidence.wall_now_s)) {
    fault.retry_after = told->delay;
    fault.source = told->source;
    return;
  }
  const bool quota = fault.kind == FaultKind::kMinuteQuota;
  if (const auto told = quota ? DelayInWords(evidence.message) : std::nullopt) {
    fault.retry_after = *told;
    fault.source = "error message";
    return;
  }
  fault.source = quota ? "default" : "status";
}

std::optional<std::int64_t> ReadNumber(const Headers& headers, std::string_view name) {
  const std::string* text = FindHeader(headers, name);
  if (!text) return std::nullopt;
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
  if (error != std::errc() || end != text->data() + text->size() || number < 0) return std::nullopt;
  return number;
}

}  // namespace

const char* Name(FaultKind kind) {
  constexpr std::array<const char*, kFaultKinds> kNames = {
      "ok",      "request",      "content",   "model",    "key_invalid",
      "billing", "minute_quota", "day_quota", "provider", "network"};
  return kNames.at(static_cast<std::size_t>(kind));
}

Fault Classify(const Evidence& evidence) {
  Fault fault;
  fault.kind = KindOf(evidence);
  fault.status = evidence.status;
  if (fault.kind == FaultKind::kNone) return fault;
  fault.reason = ReasonOf(evidence, fault.kind);
  fault.message = evidence.message.empty() ? fault.reason : evidence.message;
  FillDelay(evidence, fault);
  return fault;
}

RemainingQuota ReadRemaining(const Headers& headers) {
  RemainingQuota remaining;
  remaining.requests = ReadNumber(headers, "x-ratelimit-remaining-requests");
  remaining.tokens = ReadNumber(headers, "x-ratelimit-remaining-tokens");
  if (!remaining.requests) {
    remaining.requests = ReadNumber(headers, "anthropic-ratelimit-requests-remaining");
  }
  remaining.input_tokens = ReadNumber(headers, "anthropic-ratelimit-input-tokens-remaining");
  remaining.output_tokens = ReadNumber(headers, "anthropic-ratelimit-output-tokens-remaining");
  return remaining;
}

}  // namespace requestrouter::policy
