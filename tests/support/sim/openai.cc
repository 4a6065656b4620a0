#include <nlohmann/json.hpp>

#include "tests/support/sim/dialect.h"

namespace requestrouter::sim {
namespace {

using Json = nlohmann::ordered_json;

Response Error(int status, const Json& code, const char* type, const std::string& message) {
  return {status,
          Json{{"error", {{"message", message}, {"type", type}, {"param", nullptr}, {"code", code}}}}
              .dump(),
          {}};
}

std::string TextOf(const Json& content) {
  if (content.is_string()) return content.get<std::string>();
  std::string text;
  if (content.is_array()) {
    for (const Json& part : content) text += part.value("text", "");
  }
  return text;
}

Json UsageOf(Usage usage) {
  return {{"prompt_tokens", usage.input},
          {"completion_tokens", usage.output},
          {"total_tokens", usage.input + usage.output}};
}

Json Chunk(const Asked& asked, Json delta, const Json& finish) {
  return {{"id", "chatcmpl-sim"},
          {"object", "chat.completion.chunk"},
          {"created", 1'700'000'000},
          {"model", asked.model},
          {"choices", {{{"index", 0}, {"delta", std::move(delta)}, {"finish_reason", finish}}}}};
}

std::string Event(const Json& json) { return "data: " + json.dump() + "\n\n"; }

class OpenAi final : public Dialect {
 public:
  tl::expected<Asked, Response> Read(const std::string&, const std::string& body) const override {
    const Json json = Json::parse(body, nullptr, false);
    if (!json.is_object() || !json.contains("messages") || !json["messages"].is_array()) {
      return tl::unexpected(
          Error(400, nullptr, "invalid_request_error", "Missing required parameter: 'messages'."));
    }
    Asked asked;
    asked.model = json.value("model", "");
    asked.stream = json.value("stream", false);
    asked.wants_usage = json.value("stream_options", Json::object()).value("include_usage", false);
    for (const Json& message : json["messages"]) {
      const std::string role = message.value("role", "");
      const std::string text = TextOf(message.value("content", Json()));
      if (role == "system" || role == "developer") {
        asked.system += text;
      } else {
        asked.turns.push_back({role, text});
      }
    }
    return asked;
  }

  Response Answer(const Asked& asked, const std::string& text, Usage usage) const override {
    return {200,
            Json{{"id", "chatcmpl-sim"},
                 {"object", "chat.completion"},
                 {"created", 1'700'000'000},
                 {"model", asked.model},
                 {"choices",
                  {{{"index", 0},
                    {"message", {{"role", "assistant"}, {"content", text}}},
                    {"finish_reason", "stop"}}}},
                 {"usage", UsageOf(usage)}}
                .dump(),
            {}};
  }

  std::vector<std::string> Stream(const Asked& asked, const std::string& text,
                                  Usage usage) const override {
    std::vector<std::string> events = {
        Event(Chunk(asked, {{"role", "assistant"}, {"content", ""}}, nullptr))};
    for (const std::string& piece : Pieces(text)) {
      events.push_back(Event(Chunk(asked, {{"content", piece}}, nullptr)));
    }
    events.push_back(Event(Chunk(asked, Json::object(), "stop")));
    if (asked.wants_usage) {
      Json last = Chunk(asked, Json::object(), nullptr);
      last["choices"] = Json::array();
      last["usage"] = UsageOf(usage);
      events.push_back(Event(last));
    }
    events.emplace_back("data: [DONE]\n\n");
    return events;
  }

  Response InvalidKey() const override {
    return Error(401, "invalid_api_key", "invalid_request_error", "Incorrect API key provided.");
  }
  Response NoCredit() const override {
    return Error(429, "insufficient_quota", "insufficient_quota",
                 "You exceeded your current quota, please check your plan and billing details.");
  }

  Response RateLimited(const std::string& limit, const std::string& model,
                       std::chrono::milliseconds retry) const override {
    const bool tokens = limit == "tpm";
    Response response = Error(
        429, "rate_limit_exceeded", tokens ? "tokens" : "requests",
        "Rate limit reached for " + model + " on " +
            (tokens ? "tokens per min (TPM)"
                    : limit == "rpd" ? "requests per day (RPD)" : "requests per min (RPM)"));
    const std::string kind = tokens ? "tokens" : "requests";
    response.headers = {{"retry-after-ms", std::to_string(retry.count())},
                        {"x-ratelimit-remaining-" + kind, "0"},
                        {"x-ratelimit-reset-" + kind, std::to_string(retry.count()) + "ms"}};
    return response;
  }

  Response ServerError(int status) const override {
    return Error(status, nullptr, "server_error", "The server had an error. Please retry.");
  }
};

}  // namespace

const Dialect& OpenAiDialect() {
  static const OpenAi dialect;
  return dialect;
}

}  // namespace requestrouter::sim
