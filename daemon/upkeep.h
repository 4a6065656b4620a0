#pragma once

#include "daemon/current_configuration.h"
#include "daemon/insight.h"
#include "daemon/logging.h"
#include "daemon/notify.h"
#include "daemon/refresh.h"
#include "daemon/router/clock.h"
#include "daemon/router/mailbox.h"
#include "storage/store.h"

namespace requestrouter {

// What is due now and then beside requests: the watchdog is fed, lines of the log go out, missing
// secrets are asked for, expired rows are swept, lost log lines are told of. Router thread only.
class Upkeep {
 public:
  static constexpr policy::Duration kSweepInterval = std::chrono::seconds(10);

  // Everything that is used outlives it, but that the store may answer when it is gone.
  struct Parts {
    const router::Clock& clock;
    router::Mailbox& mailbox;
    storage::Store& store;
    Notify& notify;
    Insight& insight;
    Logging& logging;
    SecretRefresher& refresher;
    const CurrentConfiguration& configuration;
  };
  explicit Upkeep(Parts parts) : parts_(parts) {}

  // Once a turn of the loop, and at least every LongestSleep.
  void OnTurn();
  policy::Duration LongestSleep() const;

 private:
  void Sweep();

  Parts parts_;
  policy::Instant next_sweep_{};
};

// Says in the log what the last daemon left undone. After an unclean stop the database is checked,
// beside the requests.
void LogRecovered(const storage::Recovered& recovered, storage::Millis now, storage::Store& store);

}  // namespace requestrouter
