#include "tests/support/sim/server.h"

#include <arpa/inet.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/http_struct.h>
#include <event2/keyvalq_struct.h>
#include <netinet/tcp.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <stdexcept>

#include "tests/support/sim/exchange.h"

namespace requestrouter::sim {
namespace {

constexpr int kBacklog = 4096;
constexpr ev_ssize_t kMaxBody = 64 << 20;
constexpr std::size_t kShownOfKey = 4;

struct FreeEvent {
  void operator()(event* one) const { event_free(one); }
};
using Event = std::unique_ptr<event, FreeEvent>;

// Listens with a backlog for bursts, and without delays for small pieces (inherited by the
// connections). Throws std::runtime_error.
int Listen(std::uint16_t port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
      listen(fd, kBacklog) != 0) {
    close(fd);
    throw std::runtime_error("cannot listen on 127.0.0.1:" + std::to_string(port));
  }
  return fd;
}

std::uint16_t PortOf(int fd) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(address.sin_port);
}

HttpRequest Copy(evhttp_request* from) {
  HttpRequest request;
  const char* uri = evhttp_request_get_uri(from);
  request.path = uri ? uri : "";
  if (const std::size_t mark = request.path.find('?'); mark != std::string::npos) {
    request.query = request.path.substr(mark + 1);
    request.path.resize(mark);
  }
  const evkeyvalq* headers = evhttp_request_get_input_headers(from);
  for (const evkeyval* header = headers->tqh_first; header; header = header->next.tqe_next) {
    request.headers.emplace_back(header->key, header->value);
  }
  evbuffer* body = evhttp_request_get_input_buffer(from);
  request.body.resize(evbuffer_get_length(body));
  evbuffer_copyout(body, request.body.data(), request.body.size());
  return request;
}

}  // namespace

class Server::Impl {
 public:
  explicit Impl(Options options)
      : verbose_(options.verbose),
        service_(std::move(options.service), std::chrono::steady_clock::now()),
        stop_fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    const int listener = Listen(options.port);
    port_ = PortOf(listener);
    base_ = event_base_new();
    http_ = evhttp_new(base_);
    evhttp_set_max_body_size(http_, kMaxBody);
    evhttp_set_allowed_methods(http_, EVHTTP_REQ_GET | EVHTTP_REQ_POST);
    evhttp_set_gencb(http_, &Impl::OnRequest, this);
    evhttp_accept_socket(http_, listener);  // and closes it at the end
    Watch(event_new(base_, stop_fd_, EV_READ, &Impl::OnStop, this));
    if (!options.stop_on_signals) return;
    Watch(evsignal_new(base_, SIGTERM, &Impl::OnStop, this));
    Watch(evsignal_new(base_, SIGINT, &Impl::OnStop, this));
  }

  ~Impl() {
    Exchange::FreeAll(&open_);
    evhttp_free(http_);
    events_.clear();
    event_base_free(base_);
    close(stop_fd_);
  }

  std::uint16_t port() const { return port_; }
  const Counters& totals() const { return service_.totals(); }
  void Run() { event_base_dispatch(base_); }
  void Stop() { eventfd_write(stop_fd_, 1); }

 private:
  void Watch(event* one) {
    events_.emplace_back(one);
    event_add(one, nullptr);
  }

  static void OnStop(evutil_socket_t, short, void* self) noexcept {
    event_base_loopbreak(static_cast<Impl*>(self)->base_);
  }

  static void OnRequest(evhttp_request* from, void* self) noexcept {
    static_cast<Impl*>(self)->Handle(from);
  }

  void Handle(evhttp_request* from) {
    const HttpRequest request = Copy(from);
    Reply reply = service_.Handle(request, std::chrono::steady_clock::now());
    if (verbose_) Log(request, reply);
    Exchange::Start(
        base_, from, std::move(reply),
        [this](std::uint64_t number, bool client_left) { service_.Ended(number, client_left); },
        &open_);
  }

  static void Log(const HttpRequest& request, const Reply& reply) {
    std::string key;
    for (const char* name : {"x-goog-api-key", "x-api-key", "authorization"}) {
      if (key.empty()) key = std::string(request.Header(name));
    }
    if (key.rfind("Bearer ", 0) == 0) key.erase(0, 7);
    const bool is_long = key.size() >= 2 * kShownOfKey;
    key = key.empty() ? "-" : key.substr(0, is_long ? kShownOfKey : 0) + "…";
    // Without the query, which is where a key would be if somebody put it there.
    std::fprintf(stderr, "%s %s %d\n", request.path.c_str(), key.c_str(), reply.response.status);
  }

  const bool verbose_;
  Service service_;
  const int stop_fd_;
  std::uint16_t port_ = 0;
  event_base* base_ = nullptr;
  evhttp* http_ = nullptr;
  std::vector<Event> events_;
  Exchange* open_ = nullptr;
};

Server::Server(Options options) : impl_(std::make_unique<Impl>(std::move(options))) {}
Server::~Server() = default;
std::uint16_t Server::port() const { return impl_->port(); }
std::string Server::url() const { return "http://127.0.0.1:" + std::to_string(port()); }
void Server::Run() { impl_->Run(); }
void Server::Stop() { impl_->Stop(); }
const Counters& Server::totals() const { return impl_->totals(); }

}  // namespace requestrouter::sim
