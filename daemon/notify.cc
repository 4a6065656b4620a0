#include "daemon/notify.h"

#include <systemd/sd-daemon.h>
#include <time.h>

#include <cstdint>

namespace requestrouter {
namespace {

constexpr auto kAfterDrain = std::chrono::seconds(15);  // to end what is left and to flush

// What Type=notify-reload wants beside RELOADING=1; harmless otherwise.
std::string MonotonicUsec() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return std::to_string(static_cast<std::uint64_t>(now.tv_sec) * 1'000'000 +
                        static_cast<std::uint64_t>(now.tv_nsec) / 1'000);
}

}  // namespace

Notify::Notify() {
  std::uint64_t usec = 0;
  watchdog_ = sd_watchdog_enabled(0, &usec) > 0;
  if (watchdog_) period_ = std::chrono::microseconds(usec / 2);
}

void Notify::Ready(const std::string& status) {
  sd_notify(0, ("READY=1\nSTATUS=" + status).c_str());
}

void Notify::Reloading() {
  sd_notify(0, ("RELOADING=1\nMONOTONIC_USEC=" + MonotonicUsec()).c_str());
}

void Notify::Stopping(policy::Duration drain) {
  const auto needed = std::chrono::duration_cast<std::chrono::microseconds>(drain + kAfterDrain);
  sd_notify(0, ("STOPPING=1\nEXTEND_TIMEOUT_USEC=" + std::to_string(needed.count())).c_str());
}

void Notify::Alive(policy::Instant now) {
  if (!watchdog_ || now < next_) return;
  sd_notify(0, "WATCHDOG=1");
  next_ = now + period_ / 2;
}

}  // namespace requestrouter
