#pragma once

#include <string>

#include "daemon/policy/types.h"

namespace requestrouter {

// Tells the service manager how the daemon is (sd_notify(3)); does nothing where there is none.
// Router thread only.
class Notify {
 public:
  Notify();

  void Ready(const std::string& status);
  void Reloading();
  // `drain`: how long it may take; the service manager waits for that, whatever its unit says.
  void Stopping(policy::Duration drain);

  // Feeds the watchdog when it is due: call once a turn of the loop.
  void Alive(policy::Instant now);

  // How long the loop may sleep so that Alive comes in time: half the watchdog's period, as
  // sd_watchdog_enabled(3) advises; an hour where there is no watchdog.
  policy::Duration period() const { return period_; }

 private:
  bool watchdog_ = false;
  policy::Duration period_ = std::chrono::hours(1);
  policy::Instant next_{};
};

}  // namespace requestrouter
