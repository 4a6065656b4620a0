#include "client_lib/src/no_daemon.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string_view>

#include "client_lib/src/errors.h"

namespace requestrouter::client {
namespace {

constexpr std::string_view kScheme = "ipc://";

// The errno of connecting to the socket, or 0.
int TryConnect(std::string_view path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return ENAMETOOLONG;
  std::memcpy(address.sun_path, path.data(), path.size());
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return errno;
  const auto* any = static_cast<const sockaddr*>(static_cast<const void*>(&address));
  const int result = connect(fd, any, sizeof address) == 0 ? 0 : errno;
  close(fd);
  return result;
}

std::string Reason(int error) {
  switch (error) {
    case 0:
    case EAGAIN:
      return "something listens there but does not answer as routerd";
    case ENOENT:
      return "there is no such socket; start routerd (systemctl start routerd) or name another one "
             "with REQUESTROUTER_ENDPOINT";
    case ECONNREFUSED:
      return "the socket is there but nobody listens; start routerd (systemctl start routerd)";
    default:
      return std::strerror(error);
  }
}

}  // namespace

Error ExplainNoDaemon(const std::string& endpoint) {
  if (!endpoint.starts_with(kScheme)) {
    return MakeError(ErrorType::kNoDaemon, "no routerd answers at " + endpoint);
  }
  const int error = TryConnect(std::string_view(endpoint).substr(kScheme.size()));
  if (error == EACCES || error == EPERM) {
    return MakeError(ErrorType::kPermissionDenied,
                     "this user may not connect to " + endpoint +
                         "; add it to the group that owns the socket and log in again");
  }
  return MakeError(ErrorType::kNoDaemon,
                   "no routerd answers at " + endpoint + ": " + Reason(error));
}

}  // namespace requestrouter::client
