#include "daemon/upstream/model_name.h"

#include <charconv>

namespace requestrouter::upstream {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// Takes a number of at most two digits off the front: longer ones are dates.
std::optional<int> TakeNumber(std::string_view* text) {
  std::size_t digits = 0;
  while (digits < text->size() && IsDigit((*text)[digits])) ++digits;
  if (digits == 0 || digits > 2) return std::nullopt;
  int number = 0;
  std::from_chars(text->data(), text->data() + digits, number);
  text->remove_prefix(digits);
  return number;
}

// "4-5-20250929" or "2.5-flash" at the front of `text`, with `separator` between the two numbers.
std::optional<ModelVersion> TakeVersion(std::string_view text, char separator) {
  const std::optional<int> major = TakeNumber(&text);
  if (!major) return std::nullopt;
  ModelVersion version{*major, 0};
  if (!text.empty() && (text.front() == separator || text.front() == '.')) {
    text.remove_prefix(1);
    version.minor = TakeNumber(&text).value_or(0);
  }
  return version;
}

std::string_view AfterPrefix(std::string_view text, std::string_view prefix) {
  return text.substr(0, prefix.size()) == prefix ? text.substr(prefix.size()) : std::string_view();
}

}  // namespace

std::optional<ModelVersion> GeminiVersion(std::string_view model) {
  return TakeVersion(AfterPrefix(model, "gemini-"), '.');
}

std::optional<ModelVersion> ClaudeVersion(std::string_view model) {
  std::string_view rest = AfterPrefix(model, "claude-");
  while (!rest.empty()) {
    if (const auto version = TakeVersion(rest, '-')) return version;
    const std::size_t dash = rest.find('-');
    if (dash == std::string_view::npos) break;
    rest.remove_prefix(dash + 1);
  }
  return std::nullopt;
}

OpenAiFamily OpenAiFamilyOf(std::string_view model) {
  model = model.substr(model.rfind('/') + 1);  // npos + 1 is 0
  if (model.size() > 1 && model[0] == 'o' && IsDigit(model[1])) return OpenAiFamily::kReasoning;
  if (model.substr(0, 8) == "chatgpt-") return OpenAiFamily::kPlain;
  const auto version = TakeVersion(AfterPrefix(model, "gpt-"), '.');
  if (!version) return OpenAiFamily::kOther;
  const bool reasons = version->major >= 5 && model.find("-chat") == std::string_view::npos;
  return reasons ? OpenAiFamily::kReasoning : OpenAiFamily::kPlain;
}

}  // namespace requestrouter::upstream
