// The CrashPoint of routerd_crash. REQUESTROUTER_CRASH_AT=NAME[:COUNT[:DELAY_MS]] ends the process
// with SIGKILL when it passes that point for the COUNT-th time, DELAY_MS later.
// REQUESTROUTER_STOP_AT=NAME stops it with SIGSTOP when it passes that point for the first time.
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <string>
#include <thread>

#include "storage/crash_point.h"

namespace requestrouter::storage {
namespace {

struct Order {
  std::string name;
  long count = 1;
  std::chrono::milliseconds delay{0};
};

Order ReadOrder(const char* variable) {
  Order order;
  const char* given = std::getenv(variable);
  if (!given) return order;
  const std::string text = given;
  const std::size_t first = text.find(':');
  order.name = text.substr(0, first);
  if (first == std::string::npos) return order;
  const std::size_t second = text.find(':', first + 1);
  order.count = std::stol(text.substr(first + 1));
  if (second != std::string::npos) {
    order.delay = std::chrono::milliseconds(std::stol(text.substr(second + 1)));
  }
  return order;
}

void End() { kill(getpid(), SIGKILL); }

void StopAt(std::string_view name) {
  static const Order order = ReadOrder("REQUESTROUTER_STOP_AT");
  static std::atomic<bool> passed{false};
  if (name == order.name && !passed.exchange(true)) kill(getpid(), SIGSTOP);
}

}  // namespace

void CrashPoint(std::string_view name) noexcept {
  StopAt(name);
  static const Order order = ReadOrder("REQUESTROUTER_CRASH_AT");
  static std::atomic<long> passed{0};
  if (name != order.name || ++passed != order.count) return;
  if (order.delay.count() == 0) End();
  std::thread([] {
    std::this_thread::sleep_for(order.delay);
    End();
  }).detach();
}

}  // namespace requestrouter::storage
