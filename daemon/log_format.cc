#include "daemon/log_format.h"

#include <array>
#include <cstdlib>

#include <nlohmann/json.hpp>

#include "daemon/router/clock.h"

namespace requestrouter {
namespace {

constexpr std::size_t kUsualBytes = 512;  // of a line

// The lead byte of UTF-8's second control block, U+0080 to U+009F, which terminals obey, too.
constexpr unsigned char kC1 = 0xC2;

constexpr bool IsControl(std::size_t c) { return c < 0x20 || c == 0x7f; }

bool IsC1(std::string_view text, std::size_t at) {
  if (static_cast<unsigned char>(text[at]) != kC1 || at + 1 >= text.size()) return false;
  const auto next = static_cast<unsigned char>(text[at + 1]);
  return next >= 0x80 && next <= 0x9f;
}

void AppendEscaped(std::string& line, unsigned char c) {
  constexpr const char* kDigits = "0123456789abcdef";
  if (c == '\n') {
    line += "\\n";
  } else if (c == '\t') {
    line += "\\t";
  } else if (c == '\r') {
    line += "\\r";
  } else {
    line += {'\\', 'x', kDigits[c >> 4U], kDigits[c & 15U]};
  }
}

constexpr std::array<bool, 256> PlainCharacters() {
  std::array<bool, 256> is_plain{};
  for (std::size_t c = 0; c < is_plain.size(); ++c) is_plain[c] = !IsControl(c) && c != kC1;
  for (const char c : {' ', '"', '=', '\\'}) is_plain[static_cast<std::size_t>(c)] = false;
  return is_plain;
}

// Whether a character goes into a line as it is, wherever it stands.
constexpr std::array<bool, 256> kIsPlain = PlainCharacters();

bool IsPlain(char c) { return kIsPlain[static_cast<unsigned char>(c)]; }

std::size_t PlainPrefix(std::string_view text) {
  std::size_t end = 0;
  while (end < text.size() && IsPlain(text[end])) ++end;
  return end;
}

// Appends what `text` begins with and that is not plain; how many bytes that was.
std::size_t AppendNotPlain(std::string& line, std::string_view text, bool quoted) {
  const auto c = static_cast<unsigned char>(text.front());
  if (IsC1(text, 0)) {
    AppendEscaped(line, static_cast<unsigned char>(text[1]));
    return 2;
  }
  if (IsControl(c)) {
    AppendEscaped(line, c);
    return 1;
  }
  if (quoted && (c == '"' || c == '\\')) line += '\\';
  line += text.front();
  return 1;
}

void AppendText(std::string& line, std::string_view text, bool quoted) {
  while (true) {
    const std::size_t plain = PlainPrefix(text);
    line += text.substr(0, plain);
    text.remove_prefix(plain);
    if (text.empty()) return;
    text.remove_prefix(AppendNotPlain(line, text, quoted));
  }
}

// What a reader, or a program that splits at spaces, could take for something else.
bool NeedsQuotes(std::string_view value) {
  for (std::size_t i = PlainPrefix(value); i < value.size(); ++i) {
    const bool begins_letter = static_cast<unsigned char>(value[i]) == kC1 && !IsC1(value, i);
    if (!IsPlain(value[i]) && !begins_letter) return true;
  }
  return value.empty();
}

void AppendValue(std::string& line, std::string_view value) {
  const bool quoted = NeedsQuotes(value);
  if (quoted) line += '"';
  AppendText(line, value, quoted);
  if (quoted) line += '"';
}

nlohmann::ordered_json ToJson(const LogFields::Field& field) {
  if (field.is_number) {
    auto number = nlohmann::ordered_json::parse(field.value, nullptr, false);
    if (!number.is_discarded()) return number;  // infinity is no number in JSON
  }
  return field.value;
}

void AppendRecord(std::string& line, const LogFields& record) {
  AppendText(line, record.message, false);
  for (const LogFields::Field& field : record.fields) {
    line += ' ';
    line += field.name;
    line += '=';
    AppendValue(line, field.value);
  }
}

}  // namespace

std::string ToText(const LogFields& record) {
  std::string line;
  AppendRecord(line, record);
  return line;
}

std::string ToTextLine(const LogFields& record, std::string_view level, storage::Millis at) {
  std::string line = router::Timestamp(at);
  line.reserve(kUsualBytes);
  line += ' ';
  line += level;
  line += ' ';
  AppendRecord(line, record);
  return line;
}

std::string ToJsonLine(const LogFields& record, std::string_view level, storage::Millis at) {
  nlohmann::ordered_json line = {
      {"time", router::Timestamp(at)}, {"level", level}, {"message", record.message}};
  for (const LogFields::Field& field : record.fields) line[std::string(field.name)] = ToJson(field);
  return line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace requestrouter
