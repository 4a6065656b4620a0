#include <set>

#include "daemon/config/config.h"
#include "tests/fuzz/file_in_memory.h"
#include "tests/fuzz/input.h"

// A .env file, and the settings that it makes of an empty keys.json.

using namespace requestrouter;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const fuzz::FileInMemory file(fuzz::Text(data, size));
  const auto read = config::ReadDotenv(file.path());
  if (!read) {
    fuzz::Require(!read.error().empty(), "refused without a reason");
    return 0;
  }
  for (const auto& [name, value] : read->values) {
    fuzz::Require(!name.empty(), "a variable without a name");
    fuzz::Require(read->lines.count(name) == 1, "a variable of no line");
  }
  const fuzz::FileInMemory keys(R"({"keys":[]})");
  static_cast<void>(config::Load(keys.path(), config::Merge(read->values, {}), &*read));
  return 0;
}
