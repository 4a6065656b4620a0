#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace requestrouter {

// A log line with fields beside its message:
//
//   spdlog::info(LogRecord("request answered").With("request_id", id).With("attempts",
//   2).packed());
//
// A logger carries one text, so the fields travel packed in it, behind separators that no value can
// hold, and are taken apart again where they are written. What callers and providers wrote belongs
// in values, never at the beginning of a message.
class LogRecord {
 public:
  // Of a value; what is longer is cut.
  static constexpr std::size_t kMostBytes = 256;

  explicit LogRecord(std::string_view message);

  // `name` is in lower case, as in the JSON format. An empty value is left out.
  LogRecord& With(std::string_view name, std::string_view value);
  LogRecord& With(std::string_view name, std::int64_t value);
  LogRecord& With(std::string_view name, double value);

  const std::string& packed() const { return packed_; }

 private:
  std::string packed_;
};

// A line taken apart. Views into the text that it was made from.
struct LogFields {
  struct Field {
    std::string_view name;
    std::string_view value;
    bool is_number = false;
  };
  std::string_view message;
  std::vector<Field> fields;
};

// A text that is no record is all message.
LogFields Unpack(std::string_view text);

// Records that were logged together, packed one behind the other, as single ones. A text that is no
// record is one.
std::vector<std::string_view> Apart(std::string_view text);

}  // namespace requestrouter
