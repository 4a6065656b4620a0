// Writes files from tasks. Several tasks of one conversation build on each other.

#include <CLI/CLI.hpp>
#include <fstream>
#include <iostream>
#include <string>

#include "requestrouter/client.h"

namespace {

// Models like to put code between ``` fences; a file wants what is between them.
std::string WithoutFences(const std::string& text) {
  const auto opening = text.find("```");
  if (opening == std::string::npos) return text;
  const auto begin = text.find('\n', opening);
  const auto end = begin == std::string::npos ? begin : text.find("\n```", begin);
  if (end == std::string::npos) return text;
  return text.substr(begin + 1, end - begin);
}

bool Write(const std::string& path, const std::string& text) {
  std::ofstream file(path);
  file << text;
  return static_cast<bool>(file.flush());
}

}  // namespace

int main(int argc, char** argv) {
  std::string task, path, agent = "main", conversation;
  CLI::App app("Turns a task into a file.");
  app.add_option("task", task, "what to write")->required();
  app.add_option("file", path, "where to")->required();
  app.add_option("--agent", agent, "this coder's name");
  app.add_option("--conversation", conversation, "go on with this one (default: begin)");
  CLI11_PARSE(app, argc, argv);

  if (conversation.empty()) {
    conversation = "coder_" + agent + "_" + requestrouter::Client::NewRequestId().substr(0, 8);
  }
  std::cerr << "conversation " << conversation << "\n";

  requestrouter::ChatRequest request;
  request.prompt = task;
  request.conversation_id = conversation;
  request.system_prompt = "You write code. Answer with the whole file and nothing else.";
  request.agent = "coder-" + agent;
  requestrouter::CallOptions options;
  options.deadline = std::chrono::minutes(10);

  requestrouter::Client client;
  const auto reply = client.Chat(request, options);
  if (!reply) {
    std::cerr << "coder: " << Name(reply.error().type) << ": " << reply.error().message << "\n";
    return 1;
  }
  if (Write(path, WithoutFences(reply->content))) return 0;
  std::cerr << "coder: cannot write " << path << "\n";
  return 1;
}
