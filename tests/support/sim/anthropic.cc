#include <nlohmann/json.hpp>

#include "tests/support/sim/dialect.h"

namespace requestrouter::sim {
namespace {

using Json = nlohmann::ordered_json;

Response Error(int status, const char* type, const std::string& message) {
  return {status,
          Json{{"type", "error"},
               {"error", {{"type", type}, {"message", message}}},
               {"request_id", "req_sim"}}
              .dump(),
          {}};
}

std::string TextOf(const Json& content) {
  if (content.is_string()) return content.get<std::string>();
  std::string text;
  if (content.is_array()) {
    for (const Json& block : content) text += block.value("text", "");
  }
  return text;
}

std::string Event(const char* name, const Json& data) {
  return std::string("event: ") + name + "\ndata: " + data.dump() + "\n\n";
}

Json Message(const Asked& asked, Json content, const Json& stop, Usage usage) {
  return {{"id", "msg_sim"},
          {"type", "message"},
          {"role", "assistant"},
          {"model", asked.model},
          {"content", std::move(content)},
          {"stop_reason", stop},
          {"stop_sequence", nullptr},
          {"usage", {{"input_tokens", usage.input}, {"output_tokens", usage.output}}}};
}

class Anthropic final : public Dialect {
 public:
  tl::expected<Asked, Response> Read(const std::string&, const std::string& body) const override {
    const Json json = Json::parse(body, nullptr, false);
    if (!json.is_object() || !json.contains("messages") || !json["messages"].is_array()) {
      return tl::unexpected(Error(400, "invalid_request_error", "messages: Field required"));
    }
    if (!json.contains("max_tokens")) {
      return tl::unexpected(Error(400, "invalid_request_error", "max_tokens: Field required"));
    }
    Asked asked;
    asked.model = json.value("model", "");
    asked.stream = json.value("stream", false);
    if (json.contains("system")) asked.system = TextOf(json["system"]);
    std::string before = "assistant";
    for (const Json& message : json["messages"]) {
      const std::string role = message.value("role", "");
      if (role != "user" && role != "assistant") {
        return tl::unexpected(Error(400, "invalid_request_error",
                                    "messages: Unexpected role \"" + role + "\""));
      }
      if (role == before) {
        return tl::unexpected(
            Error(400, "invalid_request_error", "simulator: messages must alternate"));
      }
      before = role;
      asked.turns.push_back({role, TextOf(message.value("content", Json()))});
    }
    return asked;
  }

  Response Answer(const Asked& asked, const std::string& text, Usage usage) const override {
    return {200,
            Message(asked, Json::array({{{"type", "text"}, {"text", text}}}), "end_turn", usage)
                .dump(),
            {}};
  }

  std::vector<std::string> Stream(const Asked& asked, const std::string& text,
                                  Usage usage) const override {
    std::vector<std::string> events = {
        Event("message_start",
              {{"type", "message_start"},
               {"message", Message(asked, Json::array(), nullptr, {usage.input, 1})}}),
        Event("content_block_start", {{"type", "content_block_start"},
                                      {"index", 0},
                                      {"content_block", {{"type", "text"}, {"text", ""}}}}),
        Event("ping", {{"type", "ping"}})};
    for (const std::string& piece : Pieces(text)) {
      events.push_back(Event("content_block_delta",
                             {{"type", "content_block_delta"},
                              {"index", 0},
                              {"delta", {{"type", "text_delta"}, {"text", piece}}}}));
    }
    events.push_back(
        Event("content_block_stop", {{"type", "content_block_stop"}, {"index", 0}}));
    events.push_back(
        Event("message_delta", {{"type", "message_delta"},
                                {"delta", {{"stop_reason", "end_turn"}, {"stop_sequence", nullptr}}},
                                {"usage", {{"output_tokens", usage.output}}}}));
    events.push_back(Event("message_stop", {{"type", "message_stop"}}));
    return events;
  }

  Response InvalidKey() const override {
    return Error(401, "authentication_error", "invalid x-api-key");
  }
  Response NoCredit() const override {
    return Error(400, "invalid_request_error",
                 "Your credit balance is too low to access the Anthropic API.");
  }

  Response RateLimited(const std::string&, const std::string&,
                       std::chrono::milliseconds retry) const override {
    Response response = Error(429, "rate_limit_error",
                              "This request would exceed your organization's rate limit.");
    response.headers = {{"retry-after", std::to_string((retry.count() + 999) / 1000)},
                        {"anthropic-ratelimit-requests-remaining", "0"}};
    return response;
  }

  Response ServerError(int status) const override {
    return status == 529 ? Error(529, "overloaded_error", "Overloaded")
                         : Error(status, "api_error", "Internal server error");
  }
};

}  // namespace

const Dialect& AnthropicDialect() {
  static const Anthropic dialect;
  return dialect;
}

}  // namespace requestrouter::sim
