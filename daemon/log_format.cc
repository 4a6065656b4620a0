#include "daemon/log_format.h"

#include <algorithm>
#include <cstdlib>

#include <nlohmann/json.hpp>

#include "daemon/router/clock.h"

namespace requestrouter {
namespace {

// The lead byte of UTF-8's second control block, U+0080 to U+009F, which terminals obey, too.
constexpr unsigned char kC1 = 0xC2;

bool IsControl(unsigned char c) { return c < 0x20 || c == 0x7f; }

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

void AppendPlain(std::string& line, std::string_view text, bool quoted) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (IsC1(text, i)) {
      AppendEscaped(line, static_cast<unsigned char>(text[++i]));
    } else if (IsControl(c)) {
      AppendEscaped(line, c);
    } else {
      if (quoted && (c == '"' || c == '\\')) line += '\\';
      line += text[i];
    }
  }
}

// What a reader, or a program that splits at spaces, could take for something else.
bool NeedsQuotes(std::string_view value) {
  for (std::size_t i = 0; i < value.size(); ++i) {
    const auto c = static_cast<unsigned char>(value[i]);
    if (c == ' ' || c == '"' || c == '=' || c == '\\' || IsControl(c) || IsC1(value, i)) {
      return true;
    }
  }
  return value.empty();
}

void AppendValue(std::string& line, std::string_view value) {
  const bool quoted = NeedsQuotes(value);
  if (quoted) line += '"';
  AppendPlain(line, value, quoted);
  if (quoted) line += '"';
}

nlohmann::ordered_json ToJson(const LogFields::Field& field) {
  if (field.is_number) {
    auto number = nlohmann::ordered_json::parse(field.value, nullptr, false);
    if (!number.is_discarded()) return number;  // infinity is no number in JSON
  }
  return field.value;
}

}  // namespace

std::string ToText(const LogFields& record) {
  std::string line;
  AppendPlain(line, record.message, false);
  for (const LogFields::Field& field : record.fields) {
    line += ' ';
    line += field.name;
    line += '=';
    AppendValue(line, field.value);
  }
  return line;
}

std::string ToTextLine(const LogFields& record, std::string_view level, storage::Millis at) {
  return router::Timestamp(at) + ' ' + std::string(level) + ' ' + ToText(record);
}

std::string ToJsonLine(const LogFields& record, std::string_view level, storage::Millis at) {
  nlohmann::ordered_json line = {
      {"time", router::Timestamp(at)}, {"level", level}, {"message", record.message}};
  for (const LogFields::Field& field : record.fields) line[std::string(field.name)] = ToJson(field);
  return line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace requestrouter
