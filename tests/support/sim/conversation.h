#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace requestrouter::sim {

// What was asked, whatever the dialect.
struct Turn {
  std::string role;  // user | assistant | tool
  std::string text;
};

struct Asked {
  std::string model;
  std::string system;
  std::vector<Turn> turns;
  bool stream = false;
  bool wants_usage = true;  // OpenAI's stream_options.include_usage
};

// One token for every four bytes, rounded up, and at least one: simple enough to check by hand.
std::int64_t CountTokens(const std::string& text);
std::int64_t CountTokens(const Asked& asked);

// A deterministic answer that shows whether the history arrived: remembers a name that was given
// earlier ("My name is X"), and otherwise says back what was asked and in which turn.
std::string AnswerTo(const Asked& asked);

}  // namespace requestrouter::sim
