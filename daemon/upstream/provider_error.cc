#include "daemon/upstream/provider_error.h"

#include <array>
#include <string>

#include "daemon/upstream/google_rpc.h"
#include "daemon/upstream/json_bounds.h"
#include "daemon/upstream/json_view.h"

namespace requestrouter::upstream {
namespace {

constexpr std::size_t kMaxNameBytes = 128;
constexpr std::size_t kMaxMessageBytes = 2'048;
constexpr std::size_t kMaxUnreadableBytes = 256;
// How the keys of known providers begin; and Google's own way to name a key in a message.
constexpr std::array<std::string_view, 6> kKeyMarks = {"AIza", "sk-", "gsk_",
                                                       "xai-", "AQ.", "api_key:"};

bool IsKeyCharacter(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
         c == '_' || c == '*' || c == '.';
}

// Replaces words that begin with `mark`, where they are long enough to be a key.
void RedactAfter(std::string_view mark, std::string* text) {
  constexpr std::size_t kShortestKey = 8;
  for (std::size_t at = text->find(mark); at != std::string::npos; at = text->find(mark, at)) {
    std::size_t end = at + mark.size();
    while (end < text->size() && IsKeyCharacter((*text)[end])) ++end;
    const bool begins_word = at == 0 || !IsKeyCharacter((*text)[at - 1]);
    if (!begins_word || end - at - mark.size() < kShortestKey) {
      at = end;
      continue;
    }
    constexpr std::string_view kReplacement = "[redacted]";
    text->replace(at, end - at, kReplacement);
    at += kReplacement.size();
  }
}

std::string SafeText(std::string_view text, std::size_t bytes) {
  std::string safe = Bounded(text, bytes);
  for (const std::string_view mark : kKeyMarks) RedactAfter(mark, &safe);
  return safe;
}

// A string as it is, anything else as JSON: servers put numbers, lists and maps where text belongs.
std::string AsText(const ipc::Value* value, std::size_t bytes) {
  if (value == nullptr || value->is_null()) return {};
  if (value->is_string()) return SafeText(value->get_ref<const std::string&>(), bytes);
  return SafeText(DumpJson(*value), bytes);
}

// Google's status, a code in words, the type, and only then a code in digits, which is mostly the
// HTTP status once more.
std::string CodeOf(const ipc::Value& error) {
  for (const char* key : {"status", "code", "type"}) {
    const std::string_view text = TextMember(error, key);
    if (!text.empty()) return SafeText(text, kMaxNameBytes);
  }
  return AsText(Member(error, "code"), kMaxNameBytes);
}

std::string MessageOf(const ipc::Value& error) {
  const ipc::Value* message = Member(error, "message");
  if (message == nullptr) message = Member(error, "detail");
  std::string text = AsText(message, kMaxMessageBytes);
  // OpenRouter says "Provider returned error" and puts that provider's words here.
  const ipc::Value* metadata = ObjectMember(error, "metadata");
  const ipc::Value* raw = metadata == nullptr ? nullptr : Member(*metadata, "raw");
  if (raw != nullptr) text += ": " + AsText(raw, kMaxMessageBytes);
  return text;
}

ProviderError FromObject(const ipc::Value& error) {
  ProviderError read;
  read.readable = true;
  read.code = CodeOf(error);
  read.type = SafeText(TextMember(error, "type"), kMaxNameBytes);
  read.message = MessageOf(error);
  if (const ipc::Value* details = ArrayMember(error, "details")) ReadErrorDetails(*details, &read);
  return read;
}

ProviderError FromText(std::string_view text) {
  ProviderError read;
  read.readable = true;
  read.message = SafeText(text, kMaxMessageBytes);
  return read;
}

bool IsFlatError(const ipc::Value& body) {
  return TextMember(body, "object") == "error" || Member(body, "message") != nullptr ||
         Member(body, "detail") != nullptr;
}

}  // namespace

std::string WordsOf(const ProviderError& error) {
  if (!error.message.empty()) return error.message;
  return error.code.empty() ? "an error without a message" : error.code;
}

std::optional<ProviderError> ErrorIn(const ipc::Value& object) {
  if (object.is_array() && !object.empty()) {
    return object.front().is_object() ? ErrorIn(object.front()) : std::nullopt;
  }
  const ipc::Value* error = Member(object, "error");
  if (error == nullptr) return std::nullopt;
  if (error->is_object()) return FromObject(*error);
  if (error->is_string()) return FromText(error->get_ref<const std::string&>());
  return std::nullopt;
}

ProviderError ReadProviderError(std::string_view body) {
  if (const auto parsed = ParseJson(body)) {
    if (auto error = ErrorIn(*parsed)) return *std::move(error);
    if (IsFlatError(*parsed)) return FromObject(*parsed);
  }
  ProviderError unreadable;
  unreadable.message = SafeText(body, kMaxUnreadableBytes);
  return unreadable;
}

}  // namespace requestrouter::upstream
