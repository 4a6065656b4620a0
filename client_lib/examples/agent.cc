#include "agent.h"

#include <iostream>

namespace requestrouter::examples {

void Agent::AddOptions(CLI::App& app) {
  app.add_option("--conversation", conversation, "go on with this one (default: begin one)");
  app.add_option("--model", model, "the model wanted (default: the router chooses)");
  app.add_option("--timeout", timeout_s, "seconds to wait for each answer, capacity included")
      ->check(CLI::Range(1, 86'400))
      ->capture_default_str();
  app.footer(
      "Keys and limits are routerd's; REQUESTROUTER_ENDPOINT names its socket.\n"
      "Exit codes: 0 done, 1 failed, 2 usage, 3 no daemon.");
}

void Agent::Introduce() {
  if (conversation.empty()) {
    conversation =
        role + (name.empty() ? "" : "_" + name) + "_" + Client::NewRequestId().substr(0, 8);
  }
  std::cerr << "conversation " << conversation << "\n";
}

ChatRequest Agent::Request() const {
  ChatRequest request;
  request.conversation_id = conversation;
  request.model_preference = model;
  request.agent = name.empty() ? role : role + "-" + name;
  return request;
}

CallOptions Agent::Options() const {
  CallOptions options;
  options.deadline = std::chrono::seconds(timeout_s);
  return options;
}

int Agent::Explain(const Error& error) const {
  std::cerr << role << ": " << error.message;
  if (error.retry_after) {
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(*error.retry_after);
    std::cerr << "; try again in " << seconds.count() << " s";
  }
  std::cerr << " (" << Name(error.type) << ")\n";
  return error.type == ErrorType::kNoDaemon ? kNoDaemon : kFailed;
}

std::string WithoutFences(const std::string& text) {
  const auto opening = text.find("```");
  if (opening == std::string::npos) return text;
  const auto begin = text.find('\n', opening);
  const auto end = begin == std::string::npos ? begin : text.find("\n```", begin);
  if (end == std::string::npos) return text;
  return text.substr(begin + 1, end - begin);
}

}  // namespace requestrouter::examples
