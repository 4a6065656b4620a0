#include "tests/support/sim/dialect.h"

namespace requestrouter::sim {

const Dialect* DialectOfPath(const std::string& path) {
  if (path.find("/v1beta/models/") != std::string::npos) return &GeminiDialect();
  if (path.find("/chat/completions") != std::string::npos) return &OpenAiDialect();
  if (path.find("/v1/messages") != std::string::npos) return &AnthropicDialect();
  return nullptr;
}

std::vector<std::string> Pieces(const std::string& text) {
  std::vector<std::string> pieces;
  std::size_t begin = 0;
  while (begin < text.size()) {
    const std::size_t space = text.find(' ', begin);
    const std::size_t end = space == std::string::npos ? text.size() : space + 1;
    pieces.push_back(text.substr(begin, end - begin));
    begin = end;
  }
  return pieces;
}

}  // namespace requestrouter::sim
