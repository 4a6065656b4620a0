#include "daemon/log_record.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace requestrouter {
namespace {

// A record: kRecord, the message, and for each field kField, its kind, its name, '=', its value.
constexpr char kRecord = '\x1e';  // ASCII's separators of records and units
constexpr char kField = '\x1f';
constexpr char kText = 't';
constexpr char kNumber = 'n';

constexpr std::size_t kUsualFields = 24;

bool IsSeparator(char c) { return c == kRecord || c == kField; }

// Without half a character at its end.
std::string_view Cut(std::string_view text, std::size_t most) {
  if (text.size() <= most) return text;
  const auto continues = [&](std::size_t at) {
    return (static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80U;
  };
  while (most > 0 && continues(most)) --most;
  return text.substr(0, most);
}

template <typename Number>
std::string_view Digits(std::array<char, 32>& buffer, Number value) {
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value).ptr;
  return {buffer.data(), static_cast<std::size_t>(end - buffer.data())};
}

void Append(std::string& packed, char kind, std::string_view name, std::string_view value) {
  packed += kField;
  packed += kind;
  packed += name;
  packed += '=';
  const std::size_t begin = packed.size();
  packed += Cut(value, LogRecord::kMostBytes);
  std::replace_if(packed.begin() + static_cast<std::ptrdiff_t>(begin), packed.end(), IsSeparator,
                  '?');
}

// `packed`: what is behind kField, which a redactor may have been at.
LogFields::Field FieldOf(std::string_view packed) {
  const bool is_number = !packed.empty() && packed.front() == kNumber;
  packed.remove_prefix(std::min<std::size_t>(1, packed.size()));
  const std::size_t equals = std::min(packed.find('='), packed.size());
  return {packed.substr(0, equals), packed.substr(std::min(equals + 1, packed.size())), is_number};
}

}  // namespace

LogRecord::LogRecord(std::string_view message) {
  packed_.reserve(512);
  packed_ += kRecord;
  packed_ += message;
}

LogRecord& LogRecord::With(std::string_view name, std::string_view value) {
  if (!value.empty()) Append(packed_, kText, name, value);
  return *this;
}

LogRecord& LogRecord::With(std::string_view name, std::int64_t value) {
  std::array<char, 32> buffer{};
  Append(packed_, kNumber, name, Digits(buffer, value));
  return *this;
}

LogRecord& LogRecord::With(std::string_view name, double value) {
  std::array<char, 32> buffer{};
  Append(packed_, kNumber, name, Digits(buffer, value));
  return *this;
}

std::vector<std::string_view> Apart(std::string_view text) {
  if (text.empty() || text.front() != kRecord) return {text};
  std::vector<std::string_view> records;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(kRecord, 1), text.size());
    records.push_back(text.substr(0, end));
    text.remove_prefix(end);
  }
  return records;
}

LogFields Unpack(std::string_view text) {
  if (text.empty() || text.front() != kRecord) return {text, {}};
  std::size_t at = std::min(text.find(kField), text.size());
  LogFields record{text.substr(1, at - 1), {}};
  record.fields.reserve(kUsualFields);
  while (at < text.size()) {
    const std::size_t end = std::min(text.find(kField, at + 1), text.size());
    record.fields.push_back(FieldOf(text.substr(at + 1, end - at - 1)));
    at = end;
  }
  return record;
}

}  // namespace requestrouter
