#include "structured.h"

#include <CLI/CLI.hpp>
#include <iostream>
#include <utility>

namespace requestrouter::examples {

Result<std::string> AskUntilValid(Client& client, ChatRequest request, const Check& check) {
  CallOptions options;
  options.deadline = std::chrono::minutes(10);
  for (int attempt = 0; attempt < 3; ++attempt) {
    auto reply = client.Chat(request, options);
    if (!reply) return std::move(reply.error());
    const std::vector<std::string> mistakes = check(reply->content);
    if (mistakes.empty()) return reply->content;
    request.prompt = "That was not valid:";
    for (const std::string& mistake : mistakes) request.prompt += " " + mistake + ".";
    request.prompt += " Answer again.";
  }
  Error error;
  error.type = ErrorType::kUpstreamRejected;
  error.message = "no valid answer after 3 attempts";
  return error;
}

int RunAgent(int argc, char** argv, const std::string& role, const std::string& noun,
             const std::string& schema_json, const Check& check) {
  ChatRequest request;
  CLI::App app("Turns a request into a " + noun + ": JSON on standard output.");
  app.add_option("request", request.prompt, "what is wanted")->required();
  app.add_option("--conversation", request.conversation_id, "refine this one (default: begin)");
  CLI11_PARSE(app, argc, argv);

  if (request.conversation_id.empty()) {
    request.conversation_id = role + "_" + Client::NewRequestId().substr(0, 8);
  }
  std::cerr << "conversation " << request.conversation_id << "\n";
  request.system_prompt = "Answer with a " + noun + " in JSON and nothing else.";
  request.response_format = {ResponseFormat::Kind::kJsonSchema, noun, schema_json};
  request.agent = role;

  Client client;
  const auto answer = AskUntilValid(client, request, check);
  if (!answer) {
    std::cerr << role << ": " << Name(answer.error().type) << ": " << answer.error().message
              << "\n";
    return 1;
  }
  std::cout << *answer << "\n";
  return 0;
}

}  // namespace requestrouter::examples
