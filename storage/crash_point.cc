#include "storage/crash_point.h"

namespace requestrouter::storage {

void CrashPoint(std::string_view) noexcept {}

}  // namespace requestrouter::storage
