#include "daemon/log_record.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace requestrouter {
namespace {

constexpr char kRecord = '\x1e';  // ASCII's separators of records and units
constexpr char kText = '\x1f';
constexpr char kNumber = '\x1d';

bool IsSeparator(char c) { return c == kRecord || c == kText || c == kNumber; }

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
  packed += kind;
  packed += name;
  packed += '=';
  const std::size_t begin = packed.size();
  packed += Cut(value, LogRecord::kMostBytes);
  std::replace_if(packed.begin() + static_cast<std::ptrdiff_t>(begin), packed.end(), IsSeparator,
                  '?');
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
  constexpr std::string_view kKinds = "\x1f\x1d";
  std::size_t at = std::min(text.find_first_of(kKinds), text.size());
  LogFields record{text.substr(1, at - 1), {}};
  while (at < text.size()) {
    const bool is_number = text[at] == kNumber;
    const std::size_t end = std::min(text.find_first_of(kKinds, at + 1), text.size());
    const std::string_view field = text.substr(at + 1, end - at - 1);
    const std::size_t equals = std::min(field.find('='), field.size());
    record.fields.push_back(
        {field.substr(0, equals), field.substr(std::min(equals + 1, field.size())), is_number});
    at = end;
  }
  return record;
}

}  // namespace requestrouter
