#include "tests/secrets/vault_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>

namespace requestrouter::secrets {
namespace {

void Check(bool fine) {
  if (!fine) std::abort();
}

// Waits for `fd`; false: the server is being stopped.
bool WaitFor(int fd, int stop) {
  pollfd waits[] = {{fd, POLLIN, 0}, {stop, POLLIN, 0}};
  return ::poll(waits, 2, -1) > 0 && waits[1].revents == 0;
}

void Write(int connection, const std::string& text) {
  (void)::send(connection, text.data(), text.size(), MSG_NOSIGNAL);
}

}  // namespace

VaultStandIn::VaultStandIn(std::string token) : token_(std::move(token)) {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  stop_ = ::eventfd(0, EFD_CLOEXEC);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  Check(::bind(listener_, generic, length) == 0 && ::listen(listener_, 8) == 0);
  Check(::getsockname(listener_, generic, &length) == 0);
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { Serve(); });
}

VaultStandIn::~VaultStandIn() {
  Check(::eventfd_write(stop_, 1) == 0);
  thread_.join();
  ::close(listener_);
  ::close(stop_);
}

std::string VaultStandIn::address() const { return "http://127.0.0.1:" + std::to_string(port_); }

std::vector<std::string> VaultStandIn::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

void VaultStandIn::Serve() {
  while (WaitFor(listener_, stop_)) {
    const int connection = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (connection < 0) continue;
    Handle(connection);
    ::close(connection);
  }
}

std::string VaultStandIn::ReadRequest(int connection) const {
  std::string request;
  char buffer[4096];
  while (request.find("\r\n\r\n") == std::string::npos && WaitFor(connection, stop_)) {
    const ssize_t got = ::recv(connection, buffer, sizeof buffer, 0);
    if (got <= 0) break;
    request.append(buffer, static_cast<std::size_t>(got));
  }
  return request;
}

void VaultStandIn::Handle(int connection) {
  const std::string request = ReadRequest(connection);
  {
    const std::lock_guard lock(mutex_);
    requests_.push_back(request);
  }
  const std::string path = request.substr(4, request.find(' ', 4) - 4);  // after "GET "
  const auto at = answers_.find(path);
  Answer answer = at == answers_.end() ? Answer{404, "{\"errors\":[]}"} : at->second;
  if (request.find("X-Vault-Token: " + token_ + "\r\n") == std::string::npos) {
    answer = {403, "{\"errors\":[\"permission denied\"]}"};
  }
  if (answer.silent) {
    WaitFor(connection, stop_);  // until the client gives up
    return;
  }
  Write(connection, "HTTP/1.1 " + std::to_string(answer.status) +
                        " X\r\nContent-Type: application/json\r\nConnection: close\r\n"
                        "Content-Length: " +
                        std::to_string(answer.body.size()) + "\r\n\r\n" + answer.body);
}

}  // namespace requestrouter::secrets
