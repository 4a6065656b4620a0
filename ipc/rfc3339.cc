#include "ipc/rfc3339.h"

#include <chrono>
#include <cstdio>
#include <string>

namespace requestrouter::ipc {
namespace {

bool IsDigit(char byte) { return byte >= '0' && byte <= '9'; }

// Takes the parts of an instant off the front of a text. After the first that does not fit, ok()
// is false and what is returned means nothing.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  bool ok() const { return ok_; }
  bool at_end() const { return rest_.empty(); }

  // Exactly `digits` digits, of a value from `least` to `most`.
  int Number(std::size_t digits, int least, int most) {
    int value = 0;
    for (std::size_t i = 0; i < digits; ++i) {
      if (i >= rest_.size() || !IsDigit(rest_[i])) return Fail();
      value = value * 10 + (rest_[i] - '0');
    }
    rest_.remove_prefix(digits);
    return value < least || value > most ? Fail() : value;
  }

  // One of the characters of `choices`; '\0' where there is none of them.
  char OneOf(std::string_view choices) {
    if (rest_.empty() || choices.find(rest_.front()) == std::string_view::npos) return '\0';
    const char taken = rest_.front();
    rest_.remove_prefix(1);
    return taken;
  }

  void Need(std::string_view choices) {
    if (OneOf(choices) == '\0') Fail();
  }

  // What follows a decimal point, in thousandths; further digits are cut off.
  std::int64_t Fraction() {
    std::int64_t millis = 0;
    std::int64_t scale = 100;
    if (rest_.empty() || !IsDigit(rest_.front())) Fail();
    for (; !rest_.empty() && IsDigit(rest_.front()); rest_.remove_prefix(1), scale /= 10) {
      millis += (rest_.front() - '0') * scale;
    }
    return millis;
  }

 private:
  int Fail() {
    ok_ = false;
    return 0;
  }

  std::string_view rest_;
  bool ok_ = true;
};

// Minutes east of UTC.
int ScanOffset(Scanner& scanner) {
  const char sign = scanner.OneOf("Zz+-");
  if (sign == 'Z' || sign == 'z') return 0;
  const int hours = scanner.Number(2, 0, 23);
  scanner.Need(":");
  const int minutes = hours * 60 + scanner.Number(2, 0, 59);
  return sign == '-' ? -minutes : minutes;
}

}  // namespace

std::optional<std::int64_t> ParseRfc3339(std::string_view text) {
  Scanner scanner(text);
  const std::chrono::year year(scanner.Number(4, 0, 9999));
  scanner.Need("-");
  const std::chrono::month month(static_cast<unsigned>(scanner.Number(2, 1, 12)));
  scanner.Need("-");
  const std::chrono::day day(static_cast<unsigned>(scanner.Number(2, 1, 31)));
  scanner.Need("Tt ");
  const std::int64_t hour = scanner.Number(2, 0, 23);
  scanner.Need(":");
  const std::int64_t minute = scanner.Number(2, 0, 59);
  scanner.Need(":");
  const std::int64_t second = scanner.Number(2, 0, 60);  // 60 in a leap second
  const std::int64_t millis = scanner.OneOf(".") ? scanner.Fraction() : 0;
  const std::int64_t offset = ScanOffset(scanner);
  const std::chrono::year_month_day date{year, month, day};
  if (!scanner.ok() || !scanner.at_end() || !date.ok()) return std::nullopt;
  const std::int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  return (((days * 24 + hour) * 60 + minute - offset) * 60 + second) * 1000 + millis;
}

std::string FormatRfc3339(std::int64_t millis) {
  using std::chrono::milliseconds;
  const std::chrono::sys_time<milliseconds> instant{milliseconds(millis)};
  const auto day = std::chrono::floor<std::chrono::days>(instant);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss time(instant - day);
  char text[40];
  std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ",
                static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                static_cast<unsigned>(date.day()), static_cast<int>(time.hours().count()),
                static_cast<int>(time.minutes().count()), static_cast<int>(time.seconds().count()),
                static_cast<int>(time.subseconds().count()));
  return text;
}

}  // namespace requestrouter::ipc
