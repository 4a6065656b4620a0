#include <nlohmann/json.hpp>

#include "tests/support/sim/dialect.h"

namespace requestrouter::sim {
namespace {

using Json = nlohmann::ordered_json;

Response Error(int code, const char* status, const std::string& message, Json details = {}) {
  Json error = {{"code", code}, {"message", message}, {"status", status}};
  if (!details.is_null()) error["details"] = std::move(details);
  return {code, Json{{"error", std::move(error)}}.dump(), {}};
}

std::string TextOf(const Json& content) {
  std::string text;
  for (const Json& part : content.value("parts", Json::array())) text += part.value("text", "");
  return text;
}

Json Chunk(const Asked& asked, const std::string& text, bool last, Usage usage) {
  Json candidate = {{"content", {{"parts", {{{"text", text}}}}, {"role", "model"}}}, {"index", 0}};
  if (last) candidate["finishReason"] = "STOP";
  return {{"candidates", Json::array({candidate})},
          {"usageMetadata",
           {{"promptTokenCount", usage.input},
            {"candidatesTokenCount", usage.output},
            {"totalTokenCount", usage.input + usage.output}}},
          {"modelVersion", asked.model}};
}

std::string QuotaId(const std::string& limit) {
  if (limit == "rpd") return "GenerateRequestsPerDayPerProjectPerModel-FreeTier";
  if (limit == "tpm") return "GenerateContentInputTokensPerModelPerMinute-FreeTier";
  return "GenerateRequestsPerMinutePerProjectPerModel-FreeTier";
}

class Gemini final : public Dialect {
 public:
  tl::expected<Asked, Response> Read(const std::string& path,
                                     const std::string& body) const override {
    const Json json = Json::parse(body, nullptr, false);
    if (!json.is_object() || !json.contains("contents") || !json["contents"].is_array()) {
      return tl::unexpected(Error(400, "INVALID_ARGUMENT",
                                  "* GenerateContentRequest.contents: contents is not specified"));
    }
    if (path.find("key=") != std::string::npos) {
      return tl::unexpected(Error(400, "INVALID_ARGUMENT", "simulator: a key in the URL"));
    }
    Asked asked;
    const std::size_t begin = path.find("/models/") + 8;
    asked.model = path.substr(begin, path.find(':', begin) - begin);
    asked.stream = path.find(":streamGenerateContent") != std::string::npos;
    if (json.contains("systemInstruction")) asked.system = TextOf(json["systemInstruction"]);
    for (const Json& content : json["contents"]) {
      const std::string role = content.value("role", "user");
      asked.turns.push_back({role == "model" ? "assistant" : "user", TextOf(content)});
    }
    return asked;
  }

  Response Answer(const Asked& asked, const std::string& text, Usage usage) const override {
    return {200, Chunk(asked, text, true, usage).dump(), {}};
  }

  std::vector<std::string> Stream(const Asked& asked, const std::string& text,
                                  Usage usage) const override {
    std::vector<std::string> events;
    const std::vector<std::string> pieces = Pieces(text);
    for (std::size_t i = 0; i < pieces.size(); ++i) {
      const bool last = i + 1 == pieces.size();
      events.push_back("data: " + Chunk(asked, pieces[i], last, usage).dump() + "\r\n\r\n");
    }
    return events;
  }

  Response InvalidKey() const override {
    return Error(400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key.",
                 {{{"@type", "type.googleapis.com/google.rpc.ErrorInfo"},
                   {"reason", "API_KEY_INVALID"},
                   {"domain", "googleapis.com"},
                   {"metadata", {{"service", "generativelanguage.googleapis.com"}}}}});
  }

  Response NoCredit() const override {
    return Error(403, "PERMISSION_DENIED", "Billing is disabled for this project.",
                 {{{"@type", "type.googleapis.com/google.rpc.ErrorInfo"},
                   {"reason", "BILLING_DISABLED"},
                   {"domain", "googleapis.com"}}});
  }

  Response RateLimited(const std::string& limit, const std::string& model,
                       std::chrono::milliseconds retry) const override {
    const std::string delay = std::to_string(retry.count() / 1000) + "." +
                              std::to_string(1000 + retry.count() % 1000).substr(1) + "s";
    return Error(429, "RESOURCE_EXHAUSTED",
                 "You exceeded your current quota, please check your plan and billing details.",
                 Json::array({{{"@type", "type.googleapis.com/google.rpc.QuotaFailure"},
                               {"violations",
                                Json::array({{{"quotaId", QuotaId(limit)},
                                              {"quotaDimensions", {{"model", model}}}}})}},
                              {{"@type", "type.googleapis.com/google.rpc.RetryInfo"},
                               {"retryDelay", limit == "rpd" ? "0s" : delay}}}));
  }

  Response ServerError(int status) const override {
    return Error(status, status == 503 ? "UNAVAILABLE" : "INTERNAL",
                 "The model is overloaded. Please try again later.");
  }
};

}  // namespace

const Dialect& GeminiDialect() {
  static const Gemini dialect;
  return dialect;
}

}  // namespace requestrouter::sim
