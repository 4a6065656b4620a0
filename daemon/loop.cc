#include "daemon/loop.h"

#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <system_error>

namespace requestrouter {
namespace {

using std::chrono::milliseconds;

// Messages taken from the socket in one turn, so that reports and deadlines get theirs.
constexpr int kReceiveAtOnce = 256;

// How often replies that found no room are tried again: libzmq does not say when there is some.
constexpr milliseconds kFlushInterval{20};

// After the second signal, how long cancelled attempts are waited for.
constexpr milliseconds kAbortGrace{2'000};

// How long a stop waits for clients to read their last replies, once nothing else is under way.
constexpr milliseconds kUnreadGrace{2'000};

}  // namespace

int Loop::OpenSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, signal);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  const int fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
  if (fd < 0) throw std::system_error(errno, std::generic_category(), "signalfd");
  return fd;
}

Loop::Loop(Parts parts, int signal_fd) : parts_(std::move(parts)), signal_fd_(signal_fd) {
  for (const int fd : {parts_.socket.fd(), parts_.mailbox.fd(), signal_fd_, callers_.fd()}) {
    parts_.upstream.Invite(fd);
  }
}

void Loop::Run() {
  const threads::InRole here(threads::kRouterThread);
  for (;;) {
    parts_.upstream.Deliver(parts_.chats);
    parts_.outbox.Flush([this] { parts_.chats.OnDrained(); });
    parts_.chats.Tick();
    parts_.on_turn();
    parts_.outbox.SendPosted();
    if (IsDone()) return;
    if (arrivals_ || !parts_.socket.settled()) ReceiveSome();
    Sleep();
  }
}

void Loop::ReceiveSome() {
  arrivals_ = false;
  int count = 0;
  for (; count < kReceiveAtOnce; ++count) {
    std::optional<ipc::Incoming> incoming = parts_.socket.Receive();
    if (!incoming) break;
    Handle(*incoming);
  }
  if (count == 0) return;
  parts_.chats.Tick();
  parts_.outbox.SendPosted();
}

void Loop::Handle(const ipc::Incoming& incoming) {
  tl::expected<ipc::Request, ipc::BadRequest> request =
      ipc::DecodeRequest(incoming.payload, parts_.limits);
  if (!request) {
    parts_.outbox.Send(incoming.envelope,
                       ipc::EncodeError(request.error().id, request.error().error));
    parts_.on_malformed(request.error().error.type);
    return;
  }
  if (!std::holds_alternative<ipc::ChatRequest>(request->body)) {
    return parts_.operations.Handle(incoming.envelope, incoming.peer, *request);
  }
  callers_.Watch(incoming.peer.pid);
  parts_.chats.Submit(incoming.envelope, incoming.peer, std::move(*request));
}

void Loop::ReadSignals() {
  signalfd_siginfo info{};
  while (read(signal_fd_, &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
    if (info.ssi_signo == SIGHUP) {
      parts_.on_reload(info.ssi_uid, static_cast<pid_t>(info.ssi_pid));
    } else {
      StopSignal();
    }
  }
}

void Loop::StopSignal() {
  if (stopping_ == Stopping::kNo) {
    stopping_ = Stopping::kDraining;
    drain_until_ = parts_.clock.Steady() + parts_.drain;
    parts_.chats.Drain();
    parts_.on_stopping();
    return;
  }
  drain_until_ = parts_.clock.Steady();
}

bool Loop::IsDone() {
  if (stopping_ == Stopping::kNo) return false;
  const policy::Instant now = parts_.clock.Steady();
  if (parts_.chats.idle()) {
    drain_until_ = std::min(drain_until_, now + kUnreadGrace);
    return parts_.outbox.empty() || now >= drain_until_;
  }
  if (now < drain_until_) return false;
  if (stopping_ == Stopping::kAborting) return true;
  stopping_ = Stopping::kAborting;
  drain_until_ = now + kAbortGrace;
  parts_.chats.Abort();
  return parts_.chats.idle() && parts_.outbox.empty();
}

policy::Instant Loop::NextDeadline() const {
  const policy::Instant now = parts_.clock.Steady();
  policy::Instant next = std::min(parts_.chats.NextDeadline(), now + parts_.longest_sleep);
  if (!parts_.outbox.empty()) next = std::min(next, now + kFlushInterval);
  if (stopping_ != Stopping::kNo) next = std::min(next, drain_until_);
  return next;
}

void Loop::Sleep() {
  const policy::Instant until = parts_.socket.settled() ? NextDeadline() : policy::Instant::min();
  for (const int descriptor : parts_.upstream.Turn(until)) Serve(descriptor);
}

void Loop::Serve(int descriptor) {
  if (descriptor == parts_.socket.fd()) arrivals_ = true;
  if (descriptor == parts_.mailbox.fd()) parts_.mailbox.Drain();
  if (descriptor == signal_fd_) ReadSignals();
  if (descriptor == callers_.fd()) {
    callers_.Poll([this](pid_t pid) { parts_.chats.CallerGone(pid); });
  }
}

}  // namespace requestrouter
