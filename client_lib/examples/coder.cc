// Writes files from tasks. Those of one conversation build on each other.

#include <CLI/CLI.hpp>
#include <fstream>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include "agent.h"
#include "requestrouter/client.h"

namespace {

using requestrouter::examples::Agent;

// Complete or not at all: the file appears under its name when all of it is written.
bool Write(const std::string& path, const std::string& text) {
  const std::string unfinished = path + ".part";
  std::ofstream file(unfinished);
  file << text;
  file.close();
  return !file.fail() && std::rename(unfinished.c_str(), path.c_str()) == 0;
}

int WriteFile(requestrouter::Client& client, const Agent& agent, const std::string& path,
              const std::string& task) {
  requestrouter::ChatRequest request = agent.Request();
  request.prompt = "Write the file " + path + ": " + task;
  request.system_prompt = "You write code. Answer with the whole file and nothing else.";
  request.max_output_tokens = 8192;
  const auto reply = client.Chat(request, agent.Options());
  if (!reply) return agent.Explain(reply.error());
  if (!Write(path, requestrouter::examples::WithoutFences(reply->content))) {
    std::cerr << "coder: cannot write " << path << "\n";
    return requestrouter::examples::kFailed;
  }
  std::cout << "wrote " << path << std::endl;
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  Agent agent;
  agent.role = "coder";
  agent.name = "main";
  std::vector<std::pair<std::string, std::string>> files;
  CLI::App app("Turns tasks into files, one after the other in one conversation.");
  app.add_option("file-and-task", files, "a file's path and what is to be in it; several are fine")
      ->required();
  app.add_option("--agent", agent.name, "this coder's name")->capture_default_str();
  agent.AddOptions(app);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : requestrouter::examples::kUsage;
  }
  agent.Introduce();

  requestrouter::Client client;
  for (const auto& [path, task] : files) {
    if (const int code = WriteFile(client, agent, path, task)) return code;
  }
  return 0;
}
