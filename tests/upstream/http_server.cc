#include "tests/upstream/http_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <stdexcept>

#include "tests/support/lower_case.h"

namespace requestrouter::upstream {
namespace {

int Listen() {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (bind(socket, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
      listen(socket, 1024) != 0) {
    throw std::runtime_error("the test server cannot listen");
  }
  return socket;
}

int PortOf(int socket) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(address.sin_port);
}

}  // namespace

std::string ServedRequest::Header(std::string_view name) const {
  const std::string wanted = "\r\n" + std::string(name) + ":";
  const std::size_t at = support::LowerCase(head).find(wanted);
  if (at == std::string::npos) return "";
  const std::size_t begin = head.find_first_not_of(' ', at + wanted.size());
  return head.substr(begin, head.find("\r\n", begin) - begin);
}

Connection::~Connection() { Close(); }

bool Connection::Fill() {
  std::array<char, 65536> buffer{};
  const ssize_t got = recv(socket_, buffer.data(), buffer.size(), 0);
  if (got <= 0) return false;
  unread_.append(buffer.data(), static_cast<std::size_t>(got));
  return true;
}

bool Connection::ReadHead() {
  while (unread_.find("\r\n\r\n") == std::string::npos) {
    if (!Fill()) return false;
  }
  return true;
}

std::optional<ServedRequest> Connection::Read() {
  if (!ReadHead()) return std::nullopt;
  ServedRequest request;
  const std::size_t end = unread_.find("\r\n\r\n") + 4;
  request.head = unread_.substr(0, end);
  const std::string length = request.Header("content-length");
  std::size_t size = 0;
  std::from_chars(length.data(), length.data() + length.size(), size);
  while (unread_.size() < end + size) {
    if (!Fill()) return std::nullopt;
  }
  request.body = unread_.substr(end, size);
  unread_.erase(0, end + size);
  return request;
}

bool Connection::Write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

std::size_t Connection::WriteWhatFits(std::string_view bytes) {
  const ssize_t sent = send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  return sent < 0 ? 0 : static_cast<std::size_t>(sent);
}

bool Connection::HasRoomWithinMs(int ms) {
  pollfd waited{socket_, POLLOUT, 0};
  return poll(&waited, 1, ms) == 1;
}

void Connection::WaitForMs(int ms) {
  pollfd waited{socket_, POLLIN, 0};
  poll(&waited, 1, ms);
}

void Connection::WaitUntilTheClientCloses() {
  while (Fill()) {
  }
}

void Connection::Close() {
  if (socket_ < 0) return;
  before_close_(socket_);
  close(std::exchange(socket_, -1));
}

void Connection::Reset() {
  const linger at_once{1, 0};
  setsockopt(socket_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  Close();
}

std::string Reply(int status, std::string_view body, std::string_view headers) {
  return "HTTP/1.1 " + std::to_string(status) +
         " X\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" + std::string(headers) +
         "\r\n" + std::string(body);
}

std::string StreamHead(std::string_view content_type) {
  std::string head = "HTTP/1.1 200 OK\r\nConnection: close\r\n";
  if (!content_type.empty()) head += "Content-Type: " + std::string(content_type) + "\r\n";
  return head + "\r\n";
}

std::string Event(std::string_view data) { return "data: " + std::string(data) + "\n\n"; }

HttpServer::HttpServer(Script script)
    : script_(std::move(script)), listener_(Listen()), port_(PortOf(listener_)) {
  acceptor_ = std::thread([this] { Accept(); });
}

HttpServer::~HttpServer() {
  shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  std::list<std::thread> workers;
  {
    const std::lock_guard lock(mutex_);
    for (const int socket : open_) shutdown(socket, SHUT_RDWR);
    workers.swap(workers_);
  }
  for (std::thread& worker : workers) worker.join();
  close(listener_);
}

std::string HttpServer::url() const { return "http://127.0.0.1:" + std::to_string(port_); }

int HttpServer::connections() {
  const std::lock_guard lock(mutex_);
  return connections_;
}

void HttpServer::Accept() {
  while (true) {
    const int socket = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (socket < 0) return;
    const std::lock_guard lock(mutex_);
    ++connections_;
    open_.insert(socket);
    workers_.emplace_back([this, socket] { Serve(socket); });
  }
}

void HttpServer::Serve(int socket) {
  Connection connection(socket, [this](int closing) { Forget(closing); });
  script_(connection);
}

void HttpServer::Forget(int socket) {
  const std::lock_guard lock(mutex_);
  open_.erase(socket);
}

void Gate::Open() {
  const std::lock_guard lock(mutex_);
  open_ = true;
  changed_.notify_all();
}

void Gate::Wait() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return open_; });
}

}  // namespace requestrouter::upstream
