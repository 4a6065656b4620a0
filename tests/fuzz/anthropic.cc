#include "tests/fuzz/dialect_target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  requestrouter::fuzz::ReadAnswer(requestrouter::upstream::ProviderKind::kAnthropic, data, size);
  return 0;
}
