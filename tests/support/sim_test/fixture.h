#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/sim/service.h"

namespace requestrouter::sim {

// A service without sockets, with a clock that stands still until it is told to move.
class ServiceTest : public ::testing::Test {
 protected:
  static HttpRequest GeminiRequest(const Json& body, const std::string& model = "gemini-2.5-flash",
                                   const std::string& key = "k") {
    return {
        "/v1beta/models/" + model + ":generateContent", "", {{"x-goog-api-key", key}}, Dump(body)};
  }
  static HttpRequest OpenAiRequest(const Json& body, const std::string& key = "k") {
    return {"/v1/chat/completions", "", {{"Authorization", "Bearer " + key}}, Dump(body)};
  }
  static HttpRequest AnthropicRequest(const Json& body, const std::string& key = "k") {
    return {
        "/v1/messages", "", {{"x-api-key", key}, {"anthropic-version", "2023-06-01"}}, Dump(body)};
  }
  static Json GeminiText(const std::string& text) {
    return {{"contents",
             Json::array({{{"role", "user"}, {"parts", Json::array({{{"text", text}}})}}})}};
  }
  static Json OpenAiText(const std::string& text) {
    return {{"model", "gpt-4o"},
            {"messages", Json::array({{{"role", "user"}, {"content", text}}})}};
  }
  static Json AnthropicText(const std::string& text) {
    return {{"model", "claude-sonnet-4-5"},
            {"max_tokens", 100},
            {"messages", Json::array({{{"role", "user"}, {"content", text}}})}};
  }

  // Of the same question in each dialect.
  static std::vector<HttpRequest> AllThree(const std::string& text) {
    return {GeminiRequest(GeminiText(text)), OpenAiRequest(OpenAiText(text)),
            AnthropicRequest(AnthropicText(text))};
  }

  // Replaces the service by one with these keys, as on the command line.
  void Use(const std::vector<std::string>& keys) {
    ServiceOptions options;
    for (const std::string& key : keys) options.keys.push_back(*ParseKeyFlag(key));
    service_ = std::make_unique<Service>(options, now_);
  }

  Reply Ask(const HttpRequest& request) {
    Reply reply = service_->Handle(request, now_);
    service_->Ended(reply.number, false);
    return reply;
  }
  static Json Body(const Reply& reply) { return Json::parse(reply.response.body); }
  static std::string Header(const Reply& reply, const std::string& name) {
    return std::string(HttpRequest{{}, {}, reply.response.headers, {}}.Header(name));
  }
  // The data of the events, without their framing.
  static std::vector<std::string> Data(const Reply& reply) {
    std::vector<std::string> data;
    for (const std::string& event : reply.pieces) {
      const std::size_t begin = event.find("data: ") + 6;
      data.push_back(event.substr(begin, event.find_last_not_of("\r\n") + 1 - begin));
    }
    return data;
  }

  Json Control(const Json& control) {
    return Body(service_->Handle({"/_sim/control", "", {}, Dump(control)}, now_));
  }
  Json Stats() { return Body(service_->Handle({"/_sim/stats", "", {}, ""}, now_)); }

  Instant now_{std::chrono::hours(1)};
  std::unique_ptr<Service> service_ =
      std::make_unique<Service>(ServiceOptions{{}, true, {}, {}, {}}, now_);
};

}  // namespace requestrouter::sim
