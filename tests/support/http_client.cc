#include "tests/support/http_client.h"

#include <arpa/inet.h>
#include <poll.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <stdexcept>

namespace requestrouter::support {
namespace {

class Socket {
 public:
  explicit Socket(std::uint16_t port) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
      close(fd_);
      throw std::runtime_error("nobody listens on port " + std::to_string(port));
    }
  }
  ~Socket() { close(fd_); }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  int fd() const { return fd_; }

 private:
  int fd_;
};

std::string Compose(std::string_view method, std::string_view path,
                    const std::vector<std::pair<std::string, std::string>>& headers,
                    std::string_view body) {
  std::string text(method);
  text.append(" ").append(path).append(" HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n");
  text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  for (const auto& [name, value] : headers) text += name + ": " + value + "\r\n";
  return text.append("\r\n").append(body);
}

void SendAll(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t sent = send(fd, text.data(), text.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;  // what the server had to say can still be read
    text.remove_prefix(static_cast<std::size_t>(sent));
  }
}

// Takes the framing off; true where the last chunk came.
bool Dechunk(std::string_view raw, std::string* body) {
  for (;;) {
    const std::size_t line = raw.find("\r\n");
    if (line == std::string_view::npos) return false;
    const auto size = static_cast<std::size_t>(
        std::strtoul(std::string(raw.substr(0, line)).c_str(), nullptr, 16));
    if (size == 0) return true;
    raw.remove_prefix(line + 2);
    body->append(raw.substr(0, size));
    if (raw.size() < size + 2) return false;
    raw.remove_prefix(size + 2);
  }
}

void ParseHead(std::string_view head, HttpResult* result) {
  result->status = std::atoi(std::string(head.substr(head.find(' ') + 1, 3)).c_str());
  for (std::size_t at = head.find("\r\n"); at != std::string_view::npos;) {
    const std::size_t begin = at + 2;
    at = head.find("\r\n", begin);
    const std::string_view line = head.substr(begin, at - begin);
    const std::size_t colon = line.find(": ");
    if (colon == std::string_view::npos) continue;
    result->headers.emplace_back(line.substr(0, colon), line.substr(colon + 2));
  }
}

void Parse(std::string_view raw, HttpResult* result) {
  const std::size_t end = raw.find("\r\n\r\n");
  if (end == std::string_view::npos) return;
  ParseHead(raw.substr(0, end), result);
  raw.remove_prefix(end + 4);
  if (result->Header("Transfer-Encoding") == "chunked") {
    result->complete = Dechunk(raw, &result->body);
    return;
  }
  result->body = raw;
  const std::string length = result->Header("Content-Length");
  result->complete = !length.empty() && std::to_string(raw.size()) == length;
}

}  // namespace

std::string HttpResult::Header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    const bool is_it =
        key.size() == name.size() && strncasecmp(key.data(), name.data(), name.size()) == 0;
    if (is_it) return value;
  }
  return {};
}

HttpResult Http(std::uint16_t port, std::string_view method, std::string_view path,
                const std::vector<std::pair<std::string, std::string>>& headers,
                std::string_view body, std::chrono::milliseconds timeout) {
  const Socket socket(port);
  SendAll(socket.fd(), Compose(method, path, headers, body));
  HttpResult result;
  std::string raw;
  std::array<char, 65536> buffer;
  const auto until = std::chrono::steady_clock::now() + timeout;
  for (;;) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
    pollfd fd{socket.fd(), POLLIN, 0};
    if (left.count() <= 0 || poll(&fd, 1, static_cast<int>(left.count())) == 0) {
      result.timed_out = true;
      break;
    }
    const ssize_t size = recv(socket.fd(), buffer.data(), buffer.size(), 0);
    result.reset = size < 0 && errno == ECONNRESET;
    if (size <= 0) break;
    raw.append(buffer.data(), static_cast<std::size_t>(size));
  }
  Parse(raw, &result);
  return result;
}

}  // namespace requestrouter::support
