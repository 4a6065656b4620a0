#include "daemon/upstream/client.h"

#include <curl/curl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <mutex>
#include <queue>
#include <system_error>
#include <thread>
#include <unordered_map>
#include <unordered_set>
#include <variant>

#include "daemon/upstream/transfer.h"

namespace requestrouter::upstream {
namespace {

using Instant = std::chrono::steady_clock::time_point;

constexpr Instant kNever = Instant::max();

// Connections kept open, and open at all: libzmq ends the process when descriptors run out, so
// curl must leave it some.
constexpr long kIdleConnections = 256;
constexpr long kMostConnections = 16'384;

struct SendCommand {
  Attempt attempt;
};
struct CancelCommand {
  std::int64_t id;
};
struct PauseCommand {
  std::int64_t id;
};
struct ResumeCommand {
  std::int64_t id;
};
struct StopCommand {};
using Command = std::variant<SendCommand, CancelCommand, PauseCommand, ResumeCommand, StopCommand>;

int CheckFd(int fd, const char* what) {
  if (fd < 0) throw std::system_error(errno, std::generic_category(), what);
  return fd;
}

void GlobalInit() {
  static const CURLcode done = curl_global_init(CURL_GLOBAL_DEFAULT);
  static_cast<void>(done);
}

}  // namespace

// curl's sockets are watched by epoll, whose changes are applied once a turn: most of them cancel
// each other out within it. curl's own timer is kept here, not in a timerfd.
class Client::Impl {
 public:
  explicit Impl(Listener* listener)
      : listener_(listener),
        epoll_fd_(CheckFd(epoll_create1(EPOLL_CLOEXEC), "epoll_create1")),
        wake_fd_(CheckFd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd")) {
    GlobalInit();
    multi_ = curl_multi_init();
    curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, &Impl::OnSocket);
    curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
    curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, &Impl::OnTimer);
    curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
    curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, kIdleConnections);
    curl_multi_setopt(multi_, CURLMOPT_MAX_TOTAL_CONNECTIONS, kMostConnections);
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = wake_fd_;
    epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, wake_fd_, &event);
    thread_ = std::thread([this] { Run(); });
  }

  ~Impl() {
    Post(StopCommand{});
    thread_.join();
    curl_multi_cleanup(multi_);
    close(wake_fd_);
    close(epoll_fd_);
  }

  void Post(Command command) {
    bool wake = false;
    {
      const std::lock_guard lock(mutex_);
      wake = commands_.empty();
      commands_.push_back(std::move(command));
    }
    if (!wake) return;
    const std::uint64_t one = 1;
    // Fails only where the counter is full, and then the thread is awake anyway.
    [[maybe_unused]] const ssize_t written = write(wake_fd_, &one, sizeof one);
  }

 private:
  // A time-out to look at; entries of ended or since active transfers are skipped.
  using Timeout = std::pair<Instant, std::int64_t>;

  void Run() {
    while (!stopping_) {
      TakeCommands();
      if (timer_ <= std::chrono::steady_clock::now()) {
        timer_ = kNever;
        Act(CURL_SOCKET_TIMEOUT, 0);
      }
      CheckTimeouts();
      ReadResults();
      ApplyWatches();
      Wait();
    }
    while (!transfers_.empty()) {
      Transfer& transfer = *transfers_.begin()->second;
      End(transfer, transfer.Cancelled());
    }
  }

  void TakeCommands() {
    std::vector<Command> commands;
    {
      const std::lock_guard lock(mutex_);
      commands.swap(commands_);
      std::uint64_t count = 0;
      [[maybe_unused]] const ssize_t got = read(wake_fd_, &count, sizeof count);
    }
    for (Command& command : commands) std::visit([this](auto& c) { On(c); }, command);
  }

  void On(SendCommand& command) {
    const Instant now = std::chrono::steady_clock::now();
    const std::int64_t id = command.attempt.id;
    auto transfer = std::make_unique<Transfer>(std::move(command.attempt), listener_, now);
    if (!transfer->Prepare()) {
      listener_->OnOutcome(id, transfer->Outcome(CURLE_OK));
      return;
    }
    timeouts_.emplace(transfer->NextTimeout(), id);
    curl_multi_add_handle(multi_, transfer->handle());
    transfers_[id] = std::move(transfer);
  }

  void On(const CancelCommand& command) {
    if (Transfer* transfer = Find(command.id)) End(*transfer, transfer->Cancelled());
  }

  void On(const PauseCommand& command) {
    if (Transfer* transfer = Find(command.id)) transfer->Pause();
  }

  void On(const ResumeCommand& command) {
    Transfer* transfer = Find(command.id);
    if (!transfer) return;
    transfer->Resume();
    timeouts_.emplace(transfer->NextTimeout(), command.id);
  }

  void On(const StopCommand&) { stopping_ = true; }

  Transfer* Find(std::int64_t id) {
    const auto found = transfers_.find(id);
    return found == transfers_.end() ? nullptr : found->second.get();
  }

  void Act(curl_socket_t socket, int events) {
    int running = 0;
    curl_multi_socket_action(multi_, socket, events, &running);
  }

  void ReadResults() {
    int left = 0;
    while (CURLMsg* message = curl_multi_info_read(multi_, &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      char* self = nullptr;
      curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &self);
      Transfer& transfer = *reinterpret_cast<Transfer*>(self);
      End(transfer, transfer.Outcome(message->data.result));
    }
  }

  void End(Transfer& transfer, Outcome outcome) {
    const std::int64_t id = transfer.id();
    curl_multi_remove_handle(multi_, transfer.handle());
    transfers_.erase(id);
    listener_->OnOutcome(id, std::move(outcome));
  }

  // A transfer has one entry that is due no later than its next time-out: bytes that come only put
  // the time-out off, and the entry is renewed when it is looked at.
  void CheckTimeouts() {
    const Instant now = std::chrono::steady_clock::now();
    while (!timeouts_.empty() && timeouts_.top().first <= now) {
      const std::int64_t id = timeouts_.top().second;
      timeouts_.pop();
      Transfer* transfer = Find(id);
      if (!transfer) continue;
      if (transfer->IsOverdue(now)) {
        End(*transfer, transfer->TimedOut());
      } else {
        timeouts_.emplace(transfer->NextTimeout(), id);
      }
    }
  }

  // ---- sockets

  static int OnSocket(CURL*, curl_socket_t socket, int what, void* self, void*) noexcept {
    auto* impl = static_cast<Impl*>(self);
    impl->wanted_[socket] = what == CURL_POLL_REMOVE ? 0 : what;
    impl->touched_.insert(socket);
    // A closed descriptor leaves epoll by itself, and its number may come back at once: forget it
    // now, not at the end of the turn.
    if (what == CURL_POLL_REMOVE && impl->watched_.erase(socket) > 0) {
      epoll_ctl(impl->epoll_fd_, EPOLL_CTL_DEL, socket, nullptr);
    }
    return 0;
  }

  static int OnTimer(CURLM*, long timeout_ms, void* self) noexcept {
    static_cast<Impl*>(self)->timer_ =
        timeout_ms < 0
            ? kNever
            : std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms);
    return 0;
  }

  void ApplyWatches() {
    for (const curl_socket_t socket : touched_) {
      const int wanted = wanted_[socket];
      if (wanted == 0) {
        wanted_.erase(socket);
        continue;
      }
      const auto watched = watched_.find(socket);
      if (watched != watched_.end() && watched->second == wanted) continue;
      epoll_event event{};
      event.events = ((wanted & CURL_POLL_IN) ? EPOLLIN : 0u) |
                     ((wanted & CURL_POLL_OUT) ? EPOLLOUT : 0u);
      event.data.fd = socket;
      epoll_ctl(epoll_fd_, watched == watched_.end() ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, socket,
                &event);
      watched_[socket] = wanted;
    }
    touched_.clear();
  }

  void Wait() {
    Instant next = timer_;
    if (!timeouts_.empty()) next = std::min(next, timeouts_.top().first);
    int timeout_ms = -1;
    if (next != kNever) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(
          next - std::chrono::steady_clock::now());
      timeout_ms = static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 60'000));
    }
    std::array<epoll_event, 256> events{};
    const int count =
        epoll_wait(epoll_fd_, events.data(), static_cast<int>(events.size()), timeout_ms);
    for (int i = 0; i < count; ++i) {
      const epoll_event& event = events.at(static_cast<std::size_t>(i));
      if (event.data.fd == wake_fd_) continue;
      const int what = ((event.events & EPOLLIN) ? CURL_CSELECT_IN : 0) |
                       ((event.events & EPOLLOUT) ? CURL_CSELECT_OUT : 0) |
                       ((event.events & (EPOLLERR | EPOLLHUP)) ? CURL_CSELECT_ERR : 0);
      Act(event.data.fd, what);
    }
  }

  Listener* const listener_;
  const int epoll_fd_;
  const int wake_fd_;
  CURLM* multi_ = nullptr;
  Instant timer_ = kNever;
  bool stopping_ = false;
  std::unordered_map<std::int64_t, std::unique_ptr<Transfer>> transfers_;
  std::priority_queue<Timeout, std::vector<Timeout>, std::greater<>> timeouts_;
  std::unordered_map<curl_socket_t, int> wanted_;   // what curl wants to be told
  std::unordered_map<curl_socket_t, int> watched_;  // what epoll watches
  std::unordered_set<curl_socket_t> touched_;       // changed this turn

  std::mutex mutex_;
  std::vector<Command> commands_;  // guarded by mutex_
  std::thread thread_;
};

Client::Client(Listener* listener) : impl_(std::make_unique<Impl>(listener)) {}
Client::~Client() = default;

void Client::Send(Attempt attempt) { impl_->Post(SendCommand{std::move(attempt)}); }
void Client::Cancel(std::int64_t attempt_id) { impl_->Post(CancelCommand{attempt_id}); }
void Client::Pause(std::int64_t attempt_id) { impl_->Post(PauseCommand{attempt_id}); }
void Client::Resume(std::int64_t attempt_id) { impl_->Post(ResumeCommand{attempt_id}); }

}  // namespace requestrouter::upstream
