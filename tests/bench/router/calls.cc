#include "tests/bench/router/calls.h"

#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <stdexcept>
#include <utility>

namespace requestrouter::bench {
namespace {

constexpr int kCallsOfMulti = 64;
constexpr int kEventsAtOnce = 256;

timespec ToTimespec(std::chrono::nanoseconds duration) {
  return {duration.count() / 1'000'000'000, duration.count() % 1'000'000'000};
}

}  // namespace

struct Calls::Call {
  CURL* easy = nullptr;
  std::uint64_t tag = 0;
  Multi* multi = nullptr;
  std::string body;
  std::string answer;
};

Calls::Calls(std::string url) : url_(std::move(url)), epoll_(epoll_create1(EPOLL_CLOEXEC)) {
  if (epoll_ < 0) throw std::runtime_error("no epoll");
  if (const char* key = std::getenv("BENCH_API_KEY")) {
    headers_ = curl_slist_append(headers_, ("authorization: Bearer " + std::string(key)).c_str());
  }
  headers_ = curl_slist_append(headers_, "content-type: application/json");
  headers_ = curl_slist_append(headers_, "expect:");
}

// The process ends with it: calls that are under way are left to the system.
Calls::~Calls() {
  for (const auto& call : idle_) curl_easy_cleanup(call->easy);
  close(epoll_);
}

void Calls::Watch(int fd) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = fd;
  epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
}

Calls::Multi* Calls::NewMulti() {
  auto multi = std::make_unique<Multi>();
  multi->calls = this;
  multi->handle = curl_multi_init();
  if (!multi->handle) throw std::runtime_error("no memory for a multi handle");
  curl_multi_setopt(multi->handle, CURLMOPT_SOCKETFUNCTION, &Calls::OnSocket);
  curl_multi_setopt(multi->handle, CURLMOPT_SOCKETDATA, multi.get());
  curl_multi_setopt(multi->handle, CURLMOPT_TIMERFUNCTION, &Calls::OnTimer);
  curl_multi_setopt(multi->handle, CURLMOPT_TIMERDATA, multi.get());
  curl_multi_setopt(multi->handle, CURLMOPT_MAXCONNECTS, long{kCallsOfMulti});
  multis_.push_back(std::move(multi));
  return multis_.back().get();
}

// The first, so that the later ones are idle when there is little to do.
Calls::Multi* Calls::WithRoom() {
  for (const auto& multi : multis_) {
    if (multi->added < kCallsOfMulti) return multi.get();
  }
  return NewMulti();
}

std::unique_ptr<Calls::Call> Calls::NewCall() {
  auto call = std::make_unique<Call>();
  call->easy = curl_easy_init();
  if (!call->easy) throw std::runtime_error("no memory for a call");
  curl_easy_setopt(call->easy, CURLOPT_URL, url_.c_str());
  curl_easy_setopt(call->easy, CURLOPT_PROXY, "");
  curl_easy_setopt(call->easy, CURLOPT_HTTP_VERSION, long{CURL_HTTP_VERSION_1_1});
  curl_easy_setopt(call->easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(call->easy, CURLOPT_QUICK_EXIT, 1L);
  curl_easy_setopt(call->easy, CURLOPT_HTTPHEADER, headers_);
  curl_easy_setopt(call->easy, CURLOPT_POST, 1L);
  curl_easy_setopt(call->easy, CURLOPT_WRITEFUNCTION, &Calls::OnBody);
  curl_easy_setopt(call->easy, CURLOPT_WRITEDATA, call.get());
  curl_easy_setopt(call->easy, CURLOPT_CLOSESOCKETFUNCTION, &Calls::OnClose);
  curl_easy_setopt(call->easy, CURLOPT_CLOSESOCKETDATA, this);
  curl_easy_setopt(call->easy, CURLOPT_PRIVATE, call.get());
  return call;
}

void Calls::Start(std::uint64_t tag, std::string body) {
  std::unique_ptr<Call> call;
  if (idle_.empty()) {
    call = NewCall();
  } else {
    call = std::move(idle_.back());
    idle_.pop_back();
  }
  call->tag = tag;
  call->body = std::move(body);
  call->answer.clear();
  curl_easy_setopt(call->easy, CURLOPT_POSTFIELDS, call->body.data());
  curl_easy_setopt(call->easy, CURLOPT_POSTFIELDSIZE, static_cast<long>(call->body.size()));
  call->multi = WithRoom();
  ++call->multi->added;
  curl_multi_add_handle(call->multi->handle, call->easy);
  static_cast<void>(call.release());  // Next() takes it back
}

void Calls::Turn(std::chrono::nanoseconds patience) {
  RunTimers();
  std::array<epoll_event, kEventsAtOnce> events{};
  patience = UntilNext(patience);
  const timespec until = ToTimespec(patience);
  const int count = epoll_pwait2(epoll_, events.data(), kEventsAtOnce,
                                 patience.count() < 0 ? nullptr : &until, nullptr);
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events.at(static_cast<std::size_t>(i));
    const auto index = static_cast<std::size_t>(event.data.fd);
    if (index >= sockets_.size() || sockets_[index].watched == 0) continue;  // one of Watch()
    if (sockets_[index].wanted == 0) {
      // An idle connection that the server closes: curl finds that out when it takes it again.
      epoll_ctl(epoll_, EPOLL_CTL_DEL, event.data.fd, nullptr);
      sockets_[index].watched = 0;
      continue;
    }
    Act(sockets_[index].multi, event.data.fd,
        ((event.events & EPOLLIN) ? CURL_CSELECT_IN : 0) |
            ((event.events & EPOLLOUT) ? CURL_CSELECT_OUT : 0) |
            ((event.events & (EPOLLERR | EPOLLHUP)) ? CURL_CSELECT_ERR : 0));
  }
  RunTimers();
}

std::chrono::nanoseconds Calls::UntilNext(std::chrono::nanoseconds patience) const {
  auto next = Clock::time_point::max();
  for (const auto& multi : multis_) {
    if (multi->running < multi->added) return {};  // a timer has ended some
    next = std::min(next, multi->timer);
  }
  if (next == Clock::time_point::max()) return patience;
  const auto left = std::max<std::chrono::nanoseconds>(next - Clock::now(), {});
  return patience.count() < 0 ? left : std::min(patience, left);
}

bool Calls::Next(Answer* answer) {
  const CURLMsg* message = nullptr;
  for (const auto& multi : multis_) {
    int left = 0;
    if (multi->running < multi->added) message = curl_multi_info_read(multi->handle, &left);
    if (message) break;
  }
  if (!message) return false;
  CURL* const easy = message->easy_handle;
  const CURLcode result = message->data.result;
  char* self = nullptr;
  curl_easy_getinfo(easy, CURLINFO_PRIVATE, &self);
  std::unique_ptr<Call> call(reinterpret_cast<Call*>(self));
  answer->tag = call->tag;
  answer->status = 0;
  answer->error = result == CURLE_OK ? "" : curl_easy_strerror(result);
  if (result == CURLE_OK) curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &answer->status);
  answer->body.swap(call->answer);
  curl_multi_remove_handle(call->multi->handle, easy);
  --call->multi->added;
  idle_.push_back(std::move(call));
  return true;
}

void Calls::Act(Multi* multi, curl_socket_t socket, int events) {
  curl_multi_socket_action(multi->handle, socket, events, &multi->running);
}

void Calls::RunTimers() {
  const auto now = Clock::now();
  for (const auto& multi : multis_) {
    if (multi->timer > now) continue;
    multi->timer = Clock::time_point::max();
    Act(multi.get(), CURL_SOCKET_TIMEOUT, 0);
  }
}

// A socket stays watched while curl has no wish for it, until curl wants something else of it or
// closes it: a connection that is used again costs no system call.
void Calls::Want(Multi* multi, int socket, std::uint32_t events) {
  const auto index = static_cast<std::size_t>(socket);
  if (index >= sockets_.size()) sockets_.resize(std::max(index + 1, 2 * sockets_.size()));
  Socket& known = sockets_[index];
  known.multi = multi;
  known.wanted = events;
  if (events == 0 || events == known.watched) return;
  epoll_event event{};
  event.events = events;
  event.data.fd = socket;
  epoll_ctl(epoll_, known.watched == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, socket, &event);
  known.watched = events;
}

// ---- what curl calls

std::size_t Calls::OnBody(char* data, std::size_t size, std::size_t count, void* call) noexcept {
  static_cast<Call*>(call)->answer.append(data, size * count);
  return size * count;
}

int Calls::OnSocket(CURL*, curl_socket_t socket, int what, void* multi, void*) noexcept {
  std::uint32_t events = 0;
  if (what != CURL_POLL_REMOVE) {
    if (what & CURL_POLL_IN) events |= EPOLLIN;
    if (what & CURL_POLL_OUT) events |= EPOLLOUT;
  }
  auto* const wanting = static_cast<Multi*>(multi);
  wanting->calls->Want(wanting, socket, events);
  return 0;
}

int Calls::OnTimer(CURLM*, long timeout_ms, void* multi) noexcept {
  static_cast<Multi*>(multi)->timer = timeout_ms < 0
                                          ? Clock::time_point::max()
                                          : Clock::now() + std::chrono::milliseconds(timeout_ms);
  return 0;
}

int Calls::OnClose(void* self, curl_socket_t socket) noexcept {
  auto& sockets = static_cast<Calls*>(self)->sockets_;
  const auto index = static_cast<std::size_t>(socket);
  if (index < sockets.size()) sockets[index] = {};  // close() ends the watching
  return close(socket);
}

}  // namespace requestrouter::bench
