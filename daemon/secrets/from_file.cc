#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "daemon/secrets/descriptor.h"
#include "daemon/secrets/secrets.h"
#include "daemon/secrets/sources.h"

namespace requestrouter::secrets {
namespace {

constexpr const char* kCredentialsDirectory = "CREDENTIALS_DIRECTORY";

std::string Octal(mode_t mode) {
  char text[8];
  std::snprintf(text, sizeof text, "%04o", static_cast<unsigned>(mode & 07777));
  return text;
}

std::string WhyNot(const std::string& path, int error) {
  if (error == ENOENT) return path + " does not exist; create it with the API key in it";
  if (error == EACCES) {
    return path + " cannot be read by uid " + std::to_string(::geteuid()) +
           "; chown it to that user and chmod it to 600";
  }
  return path + " cannot be read: " + std::strerror(error);
}

enum class Access : std::uint8_t { kOwnerOnly, kAny };

Found ReadFile(const std::string& path, Access access) {
  // Without O_NONBLOCK a FIFO of that name would hang the start.
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  struct stat status {};
  if (!file.valid() || ::fstat(file.get(), &status) != 0) return NotFound(WhyNot(path, errno));
  if (!S_ISREG(status.st_mode)) return NotFound(path + " is not a regular file");
  if (access == Access::kOwnerOnly && (status.st_mode & 077) != 0) {
    return NotFound(path + " is open to others than its owner (mode " + Octal(status.st_mode) +
                    "); run: chmod 600 " + path);
  }
  std::string text;
  const int error = file.ReadAll(text, kMaxSecretBytes + 2);  // and a line break
  if (error != 0) return NotFound(WhyNot(path, error));
  return text;
}

std::string CredentialPath(std::string_view name, const config::Environment& environment) {
  const auto at = environment.find(kCredentialsDirectory);
  return at == environment.end() ? "" : at->second + "/" + std::string(name);
}

}  // namespace

Found FromFile(const std::string& path) { return ReadFile(path, Access::kOwnerOnly); }

bool HasCredential(std::string_view name, const config::Environment& environment) {
  const std::string path = CredentialPath(name, environment);
  return !path.empty() && ::access(path.c_str(), F_OK) == 0;
}

std::string CredentialOf(std::string_view key_id, const config::Environment& environment) {
  const std::string in_folder = "key_" + std::string(key_id);
  return !HasCredential(key_id, environment) && HasCredential(in_folder, environment)
             ? in_folder
             : std::string(key_id);
}

Found FromCredential(std::string_view name, const config::Environment& environment) {
  const std::string path = CredentialPath(name, environment);
  if (path.empty()) {
    return NotFound("systemd passed no credentials; add LoadCredential=" + std::string(name) +
                    ":/path/to/file to the unit");
  }
  // systemd keeps the directory to the service itself; an ACL may show as group bits on the file.
  Found found = ReadFile(path, Access::kAny);
  if (!found && !HasCredential(name, environment)) {
    return NotFound("systemd passed no credential \"" + std::string(name) +
                    "\"; add LoadCredential=" + std::string(name) + ":/path/to/file to the unit");
  }
  return found;
}

}  // namespace requestrouter::secrets
