#include "tests/support/sim/conversation.h"

#include <algorithm>
#include <cctype>

namespace requestrouter::sim {
namespace {

std::string Lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

// The word after "my name is"; empty: none was given.
std::string NameIn(const std::string& text) {
  static const std::string kPhrase = "my name is ";
  const std::size_t at = Lower(text).find(kPhrase);
  if (at == std::string::npos) return "";
  const std::size_t begin = at + kPhrase.size();
  std::size_t end = begin;
  while (end < text.size() && std::isalnum(static_cast<unsigned char>(text[end]))) ++end;
  return text.substr(begin, end - begin);
}

std::string RememberedName(const Asked& asked) {
  std::string name;
  for (const Turn& turn : asked.turns) {
    if (turn.role == "user" && !NameIn(turn.text).empty()) name = NameIn(turn.text);
  }
  return name;
}

}  // namespace

std::int64_t CountTokens(const std::string& text) {
  return std::max<std::int64_t>(1, static_cast<std::int64_t>((text.size() + 3) / 4));
}

std::int64_t CountTokens(const Asked& asked) {
  std::int64_t tokens = asked.system.empty() ? 0 : CountTokens(asked.system);
  for (const Turn& turn : asked.turns) tokens += CountTokens(turn.text);
  return tokens;
}

std::string AnswerTo(const Asked& asked) {
  const std::string question = asked.turns.empty() ? "" : asked.turns.back().text;
  const std::string name = RememberedName(asked);
  if (Lower(question).find("what is my name") != std::string::npos) {
    return name.empty() ? "You have not told me your name." : "Your name is " + name + ".";
  }
  if (!NameIn(question).empty()) return "Hello " + name + ", I will remember your name.";
  const auto turns = std::count_if(asked.turns.begin(), asked.turns.end(),
                                   [](const Turn& turn) { return turn.role == "user"; });
  return "You said: \"" + question + "\" (turn " + std::to_string(turns) + ").";
}

}  // namespace requestrouter::sim
