#include "daemon/router/clock.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace requestrouter::router {
namespace {

// Of four digits for the year: 0000-01-01T00:00:00.000Z and 9999-12-31T23:59:59.999Z.
constexpr storage::Millis kFirst = -62'167'219'200'000;
constexpr storage::Millis kLast = 253'402'300'799'999;

void PutDigits(std::string& text, std::size_t at, std::size_t count, unsigned number) {
  for (std::size_t i = count; i-- > 0; number /= 10) {
    text[at + i] = static_cast<char>('0' + number % 10);
  }
}

}  // namespace

// Not by strftime, which takes ten times as long: every line of the log has one.
std::string Timestamp(storage::Millis wall) {
  using std::chrono::days;
  using std::chrono::milliseconds;
  const std::chrono::sys_time<milliseconds> at{milliseconds{std::clamp(wall, kFirst, kLast)}};
  const auto day = std::chrono::floor<days>(at);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss time{at - day};
  std::string text = "0000-00-00T00:00:00.000Z";
  PutDigits(text, 0, 4, static_cast<unsigned>(static_cast<int>(date.year())));
  PutDigits(text, 5, 2, static_cast<unsigned>(date.month()));
  PutDigits(text, 8, 2, static_cast<unsigned>(date.day()));
  PutDigits(text, 11, 2, static_cast<unsigned>(time.hours().count()));
  PutDigits(text, 14, 2, static_cast<unsigned>(time.minutes().count()));
  PutDigits(text, 17, 2, static_cast<unsigned>(time.seconds().count()));
  PutDigits(text, 20, 3, static_cast<unsigned>(time.subseconds().count()));
  return text;
}

}  // namespace requestrouter::router
