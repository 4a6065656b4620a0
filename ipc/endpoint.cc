#include <sys/types.h>
#include <unistd.h>

#include <cstdlib>

#include "ipc/socket.h"

namespace requestrouter::ipc {

std::string ResolveEndpoint(std::string_view option) {
  if (!option.empty()) return std::string(option);
  const char* given = std::getenv("REQUESTROUTER_ENDPOINT");
  if (given && *given) return given;
  const char* runtime = std::getenv("XDG_RUNTIME_DIR");
  if (runtime && *runtime && geteuid() != 0) {
    return "ipc://" + std::string(runtime) + "/requestrouter/router.sock";
  }
  return "ipc:///run/requestrouter/router.sock";
}

}  // namespace requestrouter::ipc
