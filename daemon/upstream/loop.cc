#include "daemon/upstream/loop.h"

#include <sys/resource.h>

#include <algorithm>
#include <cstdlib>
#include <system_error>
#include <utility>

namespace requestrouter::upstream {
namespace {

constexpr std::size_t kMostConnections = 16'384;
constexpr std::size_t kMostIdleConnections = 1'024;

// A third of the descriptors: a connection being made may hold three for a moment (two addresses
// raced, a resolver's pipe), and libzmq ends the process when it finds none left.
std::size_t ConnectionsAllowed() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) {
    return kMostConnections;
  }
  return std::clamp<std::size_t>(limit.rlim_cur / 3, 1, kMostConnections);
}

ClientOptions WithDefaults(ClientOptions options) {
  if (options.max_connections == 0) options.max_connections = ConnectionsAllowed();
  if (!options.dialect) options.dialect = &DialectOf;
  return options;
}

std::uint32_t ToEpoll(int what) {
  return ((what & CURL_POLL_IN) ? std::uint32_t{EPOLLIN} : 0u) |
         ((what & CURL_POLL_OUT) ? std::uint32_t{EPOLLOUT} : 0u);
}

int FromEpoll(std::uint32_t events) {
  return ((events & EPOLLIN) ? CURL_CSELECT_IN : 0) | ((events & EPOLLOUT) ? CURL_CSELECT_OUT : 0) |
         ((events & (EPOLLERR | EPOLLHUP)) ? CURL_CSELECT_ERR : 0);
}

CURLM* NewMulti() {
  static const CURLcode initialised = curl_global_init(CURL_GLOBAL_DEFAULT);
  CURLM* const multi = initialised == CURLE_OK ? curl_multi_init() : nullptr;
  if (!multi) throw std::system_error(std::make_error_code(std::errc::not_enough_memory), "curl");
  return multi;
}

}  // namespace

Loop::Loop(Listener* listener, ClientOptions options)
    : listener_(listener), options_(WithDefaults(std::move(options))), multi_(NewMulti()) {
  Configure();
}

Loop::~Loop() { CancelAll(); }

// Never more transfers than connections, so curl has no queue of its own, where the time-out of
// connecting would run.
void Loop::Configure() {
  const auto most = static_cast<long>(options_.max_connections);
  curl_multi_setopt(multi_.get(), CURLMOPT_SOCKETFUNCTION, &Loop::OnSocket);
  curl_multi_setopt(multi_.get(), CURLMOPT_SOCKETDATA, this);
  curl_multi_setopt(multi_.get(), CURLMOPT_TIMERFUNCTION, &Loop::OnTimer);
  curl_multi_setopt(multi_.get(), CURLMOPT_TIMERDATA, this);
  curl_multi_setopt(multi_.get(), CURLMOPT_MAX_TOTAL_CONNECTIONS, most);
  curl_multi_setopt(multi_.get(), CURLMOPT_MAXCONNECTS,
                    static_cast<long>(std::min(options_.max_connections, kMostIdleConnections)));
}

// ---- commands

void Loop::Send(Attempt attempt) {
  const std::int64_t id = attempt.id;
  const Dialect& dialect = options_.dialect(attempt.provider->kind);
  auto transfer =
      std::make_unique<Transfer>(std::move(attempt), dialect, options_, listener_, &deadlines_);
  if (!transfers_.emplace(id, std::move(transfer)).second) std::abort();  // ids are unique
  waiting_.push_back(id);
}

void Loop::Cancel(std::int64_t id) {
  if (Transfer* transfer = Find(id)) End(*transfer, transfer->Cancelled());
}

void Loop::CancelAll() {
  while (!transfers_.empty()) Cancel(transfers_.begin()->first);
}

void Loop::Pause(std::int64_t id) {
  if (Transfer* transfer = Find(id)) transfer->Pause();
}

void Loop::Resume(std::int64_t id) {
  Transfer* transfer = Find(id);
  if (!transfer) return;
  const CURLcode result = transfer->Resume();
  if (result != CURLE_OK) End(*transfer, transfer->Ended(result));
}

Transfer* Loop::Find(std::int64_t id) {
  const auto found = transfers_.find(id);
  return found == transfers_.end() ? nullptr : found->second.get();
}

// ---- a turn

void Loop::Turn() {
  Admit();
  RunCurlsTimer();
  EndOverdue();
  ReadResults();  // after the timer too: it ends transfers without any socket being ready
  Admit();
  Sleep();
}

void Loop::Admit() {
  while (!waiting_.empty() && started_ < options_.max_connections) {
    Transfer* transfer = Find(waiting_.front());
    waiting_.pop_front();
    if (transfer) Start(*transfer);
  }
}

void Loop::Start(Transfer& transfer) {
  ++started_;
  const auto started = transfer.Start(pool_.Take());
  if (!started) return End(transfer, transfer.Refused(started.error()));
  curl_multi_add_handle(multi_.get(), transfer.easy());
}

void Loop::RunCurlsTimer() {
  if (curls_timer_ > std::chrono::steady_clock::now()) return;
  curls_timer_ = Deadlines::kNever;
  Act(CURL_SOCKET_TIMEOUT, 0);
}

void Loop::Act(curl_socket_t socket, int events) {
  int running = 0;
  curl_multi_socket_action(multi_.get(), socket, events, &running);
}

void Loop::EndOverdue() {
  const auto now = std::chrono::steady_clock::now();
  while (const auto id = deadlines_.Due(now)) {
    Transfer* transfer = Find(*id);
    if (transfer->IsOverdue(now)) End(*transfer, transfer->TimedOut());
  }
}

void Loop::ReadResults() {
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi_.get(), &left)) {
    Transfer& transfer = *Transfer::Of(message->easy_handle);
    End(transfer, transfer.Ended(message->data.result));
  }
}

void Loop::End(Transfer& transfer, Outcome outcome) {
  const std::int64_t id = transfer.id();
  if (EasyHandle easy = transfer.TakeEasy()) {
    curl_multi_remove_handle(multi_.get(), easy.get());
    pool_.GiveBack(std::move(easy));
    --started_;
  }
  transfers_.erase(id);
  listener_->OnOutcome(id, std::move(outcome));
}

void Loop::Sleep() {
  for (const SocketWatch::Ready& ready : watch_.Wait(std::min(curls_timer_, deadlines_.next()))) {
    Act(ready.socket, FromEpoll(ready.events));
  }
}

// ---- what curl asks for

int Loop::OnSocket(CURL* easy, curl_socket_t socket, int what, void* self, void*) noexcept {
  auto& loop = *static_cast<Loop*>(self);
  if (what == CURL_POLL_REMOVE) {
    loop.Disown(socket);
  } else {
    loop.Own(socket, easy);
  }
  loop.watch_.Want(socket, what == CURL_POLL_REMOVE ? 0 : ToEpoll(what));
  return 0;
}

void Loop::Own(curl_socket_t socket, CURL* easy) {
  const auto index = static_cast<std::size_t>(socket);
  if (index >= owners_.size()) owners_.resize(std::max(index + 1, 2 * owners_.size()));
  const Transfer* transfer = Transfer::Of(easy);
  owners_[index] = transfer ? transfer->id() : 0;
}

// The socket is still open here.
void Loop::Disown(curl_socket_t socket) {
  const auto index = static_cast<std::size_t>(socket);
  if (index >= owners_.size()) return;
  if (Transfer* transfer = Find(std::exchange(owners_[index], 0))) {
    transfer->OnConnectionClosing(socket);
  }
}

int Loop::OnTimer(CURLM*, long timeout_ms, void* self) noexcept {
  static_cast<Loop*>(self)->curls_timer_ =
      timeout_ms < 0 ? Deadlines::kNever
                     : std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms);
  return 0;
}

}  // namespace requestrouter::upstream
