// The CrashPoint of routerd_crash. REQUESTROUTER_CRASH_AT=NAME[:COUNT[:DELAY_MS]] ends the process
// with SIGKILL when it passes that point for the COUNT-th time, DELAY_MS later.
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

Order ReadOrder() {
  Order order;
  const char* given = std::getenv("REQUESTROUTER_CRASH_AT");
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

}  // namespace

void CrashPoint(std::string_view name) noexcept {
  static const Order order = ReadOrder();
  static std::atomic<long> passed{0};
  if (name != order.name || ++passed != order.count) return;
  if (order.delay.count() == 0) End();
  std::thread([] {
    std::this_thread::sleep_for(order.delay);
    End();
  }).detach();
}

}  // namespace requestrouter::storage
