#include "client_lib/src/request_id.h"

#include <sys/random.h>

#include <array>
#include <cstdint>
#include <cstdlib>

namespace requestrouter::client {

std::string NewRequestId() {
  std::array<std::uint8_t, 16> bytes;
  // Requests of up to 256 bytes are never interrupted or cut short (getrandom(2)).
  if (getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) std::abort();
  constexpr char kDigits[] = "0123456789abcdef";
  std::string id;
  id.reserve(2 * bytes.size());
  for (std::uint8_t byte : bytes) {
    id += kDigits[byte >> 4];
    id += kDigits[byte & 0xF];
  }
  return id;
}

}  // namespace requestrouter::client
