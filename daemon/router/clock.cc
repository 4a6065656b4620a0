#include "daemon/router/clock.h"

#include <array>
#include <cstdio>
#include <ctime>

namespace requestrouter::router {

std::string Timestamp(storage::Millis wall) {
  const storage::Millis millis = ((wall % 1000) + 1000) % 1000;
  const std::time_t seconds = static_cast<std::time_t>((wall - millis) / 1000);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  std::array<char, 64> text{};
  const std::size_t length = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &parts);
  std::snprintf(text.data() + length, text.size() - length, ".%03dZ", static_cast<int>(millis));
  return text.data();
}

}  // namespace requestrouter::router
