#include "structured.h"

#include <CLI/CLI.hpp>
#include <iostream>
#include <nlohmann/json.hpp>
#include <utility>

#include "agent.h"
#include "schema.h"

namespace requestrouter::examples {
namespace {

constexpr int kAttempts = 3;

std::vector<std::string> MistakesIn(const std::string& text, const nlohmann::json& schema) {
  const auto value = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (value.is_discarded()) return {"the answer is not JSON"};
  return Mistakes(value, schema);
}

std::string AskAgain(const std::string& noun, const std::vector<std::string>& mistakes) {
  std::string prompt = "That is no valid " + noun + ":\n";
  for (const std::string& mistake : mistakes) prompt += "- " + mistake + "\n";
  return prompt + "Answer again with the whole " + noun + ", corrected, in JSON.";
}

}  // namespace

Result<std::string> AskUntilValid(Client& client, ChatRequest request, const CallOptions& options) {
  const std::string noun = request.response_format.name;
  const auto schema = nlohmann::json::parse(request.response_format.schema_json);
  std::vector<std::string> mistakes;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    auto reply = client.Chat(request, options);
    if (!reply) return std::move(reply.error());
    std::string answer = WithoutFences(reply->content);
    mistakes = MistakesIn(answer, schema);
    if (mistakes.empty()) return answer;
    request.prompt = AskAgain(noun, mistakes);
  }
  Error error;
  error.type = ErrorType::kUpstreamRejected;
  error.message = "no valid " + noun + " in " + std::to_string(kAttempts) +
                  " answers; of the last: " + mistakes.front();
  return error;
}

int RunAgent(int argc, char** argv, const std::string& role, const std::string& noun,
             const std::string& schema_json, const std::string& system_prompt) {
  Agent agent;
  agent.role = role;
  std::string prompt;
  CLI::App app("Turns a request into a " + noun +
               ": JSON on standard output. With --conversation "
               "an earlier one is refined.");
  app.add_option("request", prompt, "what is wanted")->required();
  agent.AddOptions(app);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kUsage;
  }
  agent.Introduce();

  ChatRequest request = agent.Request();
  request.prompt = prompt;
  request.system_prompt = system_prompt;
  request.response_format = {ResponseFormat::Kind::kJsonSchema, noun, schema_json};
  Client client;
  const auto answer = AskUntilValid(client, request, agent.Options());
  if (!answer) return agent.Explain(answer.error());
  std::cout << *answer << "\n";
  return 0;
}

}  // namespace requestrouter::examples
