#include "client_lib/routerctl/interrupt.h"

#include <poll.h>
#include <pthread.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <utility>

namespace requestrouter::routerctl {
namespace {

sigset_t Interrupts() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  return signals;
}

}  // namespace

InterruptGuard::InterruptGuard(std::function<void()> action) : action_(std::move(action)) {
  const sigset_t signals = Interrupts();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  thread_ = std::thread([this] { Watch(); });
}

InterruptGuard::~InterruptGuard() {
  done_.Signal();
  thread_.join();
  const sigset_t signals = Interrupts();
  pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
}

void InterruptGuard::Watch() const {
  const sigset_t signals = Interrupts();
  const int signal_fd = signalfd(-1, &signals, SFD_CLOEXEC);
  std::array<pollfd, 2> sources = {{{signal_fd, POLLIN, 0}, {done_.get(), POLLIN, 0}}};
  poll(sources.data(), sources.size(), -1);
  if ((sources[0].revents & POLLIN) != 0) {
    signalfd_siginfo taken;
    [[maybe_unused]] const auto ignored = read(signal_fd, &taken, sizeof taken);
    // From here on this thread takes the signals, with their usual effect.
    pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
    action_();
    pollfd done = {done_.get(), POLLIN, 0};
    while (poll(&done, 1, -1) < 0) {
    }
  }
  close(signal_fd);
}

}  // namespace requestrouter::routerctl
