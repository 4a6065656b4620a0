#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/support/sim/http.h"
#include "tests/support/sim/limits.h"

namespace requestrouter::sim {

// How the exchange ends after everything below has been sent.
enum class Ending : std::uint8_t {
  kComplete,
  kHang,   // nothing more comes, the connection stays
  kReset,  // RST
  kClose,  // FIN, although more was promised
};

// What to send, and how.
struct Reply {
  HttpResponse response;
  // Where there are any: sent one after the other instead of `response.body`, chunked unless the
  // headers hold a Content-Length.
  std::vector<std::string> pieces;
  Ending ending = Ending::kComplete;
  Millis latency{0};         // before the first byte
  Millis pace{0};            // between pieces
  std::uint64_t number = 0;  // in the ledger; 0: not a provider's request
};

}  // namespace requestrouter::sim
