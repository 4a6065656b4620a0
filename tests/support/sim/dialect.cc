#include "tests/support/sim/dialect.h"

namespace requestrouter::sim {
namespace {

bool EndsWith(const std::string& text, std::string_view end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

}  // namespace

const Dialect* DialectOf(const std::string& path) {
  if (path.rfind("/v1beta/models/", 0) == 0) return &Gemini();
  if (EndsWith(path, "/chat/completions")) return &OpenAi();
  return path == "/v1/messages" ? &Anthropic() : nullptr;
}

HttpResponse JsonResponse(int status, const Json& body) { return {status, {}, Dump(body)}; }

const Quota::State* StateOf(const std::vector<Quota::State>& states, Limit limit) {
  for (const Quota::State& state : states) {
    if (state.limit == limit) return &state;
  }
  return nullptr;
}

}  // namespace requestrouter::sim
