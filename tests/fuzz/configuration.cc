#include "daemon/config/config.h"
#include "tests/fuzz/file_in_memory.h"
#include "tests/fuzz/input.h"

// keys.json: read, or refused with at least one mistake that says something.

using namespace requestrouter;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const fuzz::FileInMemory file(fuzz::Text(data, size));
  const auto loaded = config::Load(file.path(), {});
  if (loaded) return 0;
  fuzz::Require(!loaded.error().empty(), "refused without a reason");
  for (const config::Problem& problem : loaded.error()) {
    fuzz::Require(!problem.message.empty(), "a problem without a message");
    static_cast<void>(config::ToString(problem));
  }
  return 0;
}
