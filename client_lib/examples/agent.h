#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "requestrouter/client.h"

// What the three agents share: their options, the first and the last words of each.
namespace requestrouter::examples {

// Exit codes; 0 is success.
inline constexpr int kFailed = 1;
inline constexpr int kUsage = 2;
inline constexpr int kNoDaemon = 3;

struct Agent {
  std::string role;  // "planner", "coder", "architect"
  std::string name;  // a coder's own; of the others empty
  std::string conversation;
  std::string model;
  int timeout_s = 600;

  // --conversation, --model and --timeout.
  void AddOptions(CLI::App& app);

  // Begins a conversation where none was given, `role_{8 hex}` or `role_name_{8 hex}`, and says on
  // stderr which one it is, so that it can be gone on with.
  void Introduce();

  ChatRequest Request() const;
  CallOptions Options() const;

  // Says on stderr what went wrong and what to do; the exit code.
  int Explain(const Error& error) const;
};

// Models like to put an answer between ``` fences, whatever they are told: what is between the
// first two, or the text as it is.
std::string WithoutFences(const std::string& text);

}  // namespace requestrouter::examples
