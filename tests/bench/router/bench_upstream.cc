// A provider for benches that costs next to nothing: HTTP/1.1 with keep-alive, one canned answer
// for each dialect, chosen by the path. No limits, no keys, no faults: provider_sim has those, and
// costs more a call than the router does. --delay-ms holds every answer back as a slow model would;
// thousands may be under way.
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <deque>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <unordered_map>

namespace {

using Clock = std::chrono::steady_clock;
using Json = nlohmann::json;

std::string Response(const Json& body) {
  const std::string text = body.dump();
  return "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: " +
         std::to_string(text.size()) + "\r\n\r\n" + text;
}

struct Answers {
  explicit Answers(const std::string& text)
      : openai(Response(
            {{"id", "chatcmpl-1"},
             {"object", "chat.completion"},
             {"created", 1},
             {"model", "gpt-5-mini"},
             {"choices",
              {{{"index", 0},
                {"message", {{"role", "assistant"}, {"content", text}}},
                {"finish_reason", "stop"}}}},
             {"usage",
              {{"prompt_tokens", 256}, {"completion_tokens", 50}, {"total_tokens", 306}}}})),
        gemini(Response(
            {{"candidates",
              {{{"content", {{"role", "model"}, {"parts", {{{"text", text}}}}}},
                {"finishReason", "STOP"},
                {"index", 0}}}},
             {"usageMetadata",
              {{"promptTokenCount", 256}, {"candidatesTokenCount", 50}, {"totalTokenCount", 306}}},
             {"modelVersion", "gemini-2.5-flash"}})),
        anthropic(Response({{"id", "msg_1"},
                            {"type", "message"},
                            {"role", "assistant"},
                            {"model", "claude-sonnet-4-5"},
                            {"content", {{{"type", "text"}, {"text", text}}}},
                            {"stop_reason", "end_turn"},
                            {"usage", {{"input_tokens", 256}, {"output_tokens", 50}}}})) {}

  const std::string& For(std::string_view head) const {
    const std::string_view line = head.substr(0, head.find('\r'));
    if (line.find(":generateContent") != std::string_view::npos) return gemini;
    return line.find("/v1/messages") != std::string_view::npos ? anthropic : openai;
  }

  const std::string openai;
  const std::string gemini;
  const std::string anthropic;
};

class Server {
 public:
  Server(const Answers& answers, std::chrono::milliseconds delay)
      : answers_(answers), delay_(delay), epoll_(epoll_create1(EPOLL_CLOEXEC)) {}

  bool Listen() {
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const int on = 1;
    setsockopt(listener_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);  // connections inherit it
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0) return false;
    if (listen(listener_, SOMAXCONN) != 0) return false;
    getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    Watch(listener_);
    return true;
  }

  int port() const { return port_; }

  void Run() {
    std::array<epoll_event, 256> events{};
    for (;;) {
      const int count =
          epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), SleepMs());
      for (int i = 0; i < count; ++i) {
        const int fd = events.at(static_cast<std::size_t>(i)).data.fd;
        if (fd == listener_) {
          Accept();
        } else {
          Read(fd);
        }
      }
      SendWhatIsDue();
    }
  }

 private:
  struct Connection {
    std::uint64_t number = 0;  // descriptors are used again
    std::string received;
  };
  struct Owed {
    Clock::time_point due;
    int fd;
    std::uint64_t connection;
    const std::string* answer;
  };

  void Watch(int fd) const {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = fd;
    epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
  }

  int SleepMs() const {
    if (owed_.empty()) return -1;
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(owed_.front().due - Clock::now());
    return static_cast<int>(std::max<std::int64_t>(left.count(), 0));
  }

  void Accept() {
    for (;;) {
      const int fd = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd < 0) return;
      connections_[fd] = {++last_connection_, {}};
      Watch(fd);
    }
  }

  void Read(int fd) {
    Connection& connection = connections_[fd];
    const ssize_t got = recv(fd, buffer_.data(), buffer_.size(), 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got <= 0) {
      connections_.erase(fd);
      close(fd);
      return;
    }
    // Nearly always one whole request, which then needs no copy.
    const std::string_view piece(buffer_.data(), static_cast<std::size_t>(got));
    if (connection.received.empty()) {
      connection.received = piece.substr(Answer(fd, connection, piece));
    } else {
      connection.received += piece;
      connection.received.erase(0, Answer(fd, connection, connection.received));
    }
  }

  // Answers the whole requests in `data` and returns their size.
  std::size_t Answer(int fd, const Connection& connection, std::string_view data) {
    std::size_t done = 0;
    for (;;) {
      const std::string_view rest = data.substr(done);
      const std::size_t head = rest.find("\r\n\r\n");
      if (head == std::string_view::npos) return done;
      const std::size_t size = head + 4 + ContentLength(rest.substr(0, head));
      if (rest.size() < size) return done;
      const std::string& answer = answers_.For(rest);
      if (delay_.count() == 0) {
        Send(fd, answer);
      } else {
        owed_.push_back({Clock::now() + delay_, fd, connection.number, &answer});
      }
      done += size;
    }
  }

  static std::size_t ContentLength(std::string_view head) {
    constexpr std::string_view kName = "\r\ncontent-length:";
    for (std::size_t at = head.find("\r\n"); at != std::string_view::npos;
         at = head.find("\r\n", at + 2)) {
      if (head.size() - at < kName.size()) return 0;
      if (strncasecmp(head.data() + at, kName.data(), kName.size()) != 0) continue;
      std::string_view value = head.substr(at + kName.size());
      value.remove_prefix(std::min(value.find_first_not_of(' '), value.size()));
      std::size_t length = 0;
      std::from_chars(value.data(), value.data() + value.size(), length);
      return length;
    }
    return 0;
  }

  // An answer is smaller than any socket buffer; a client that does not read its answers is cut
  // off.
  static void Send(int fd, const std::string& answer) {
    const ssize_t sent = send(fd, answer.data(), answer.size(), MSG_NOSIGNAL);
    if (sent != static_cast<ssize_t>(answer.size())) shutdown(fd, SHUT_RDWR);
  }

  void SendWhatIsDue() {
    if (owed_.empty()) return;
    const auto now = Clock::now();
    for (; !owed_.empty() && owed_.front().due <= now; owed_.pop_front()) {
      const Owed& one = owed_.front();
      const auto found = connections_.find(one.fd);
      if (found != connections_.end() && found->second.number == one.connection) {
        Send(one.fd, *one.answer);
      }
    }
  }

  const Answers& answers_;
  const std::chrono::milliseconds delay_;
  const int epoll_;
  int listener_ = -1;
  int port_ = 0;
  std::uint64_t last_connection_ = 0;
  std::unordered_map<int, Connection> connections_;
  std::deque<Owed> owed_;  // the delay is the same for all: in the order they are due
  std::array<char, 1 << 16> buffer_{};
};

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"A provider with canned answers, for benches"};
  int delay_ms = 0;
  int bytes = 200;
  app.add_option("--delay-ms", delay_ms, "hold every answer back so long")
      ->check(CLI::Range(0, 86'400'000));
  app.add_option("--answer-bytes", bytes, "of an answer's text")->check(CLI::Range(1, 1 << 16));
  CLI11_PARSE(app, argc, argv);
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  const Answers answers(std::string(static_cast<std::size_t>(bytes), 'y'));
  Server server(answers, std::chrono::milliseconds(delay_ms));
  if (!server.Listen()) {
    std::cerr << "bench_upstream: cannot listen on 127.0.0.1\n";
    return 1;
  }
  std::cout << "bench_upstream listens on http://127.0.0.1:" << server.port() << std::endl;
  server.Run();
}
