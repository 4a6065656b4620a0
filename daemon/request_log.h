#pragma once

#include "daemon/router/clock.h"
#include "daemon/router/observer.h"

namespace requestrouter {

// One line in the log for every chat request when its answer leaves, one at debug level for every
// attempt, and one where a key's state changes. Where the level does not want a line, nothing of it
// is made. Free of content: prompts and answers are never logged.
class RequestLog final : public router::Observer {
 public:
  // `clock` outlives the log.
  explicit RequestLog(const router::Clock& clock) : clock_(clock) {}

  void AttemptEnded(const router::LiveRequest& live, const upstream::Outcome& outcome,
                    const policy::Report& report) override;
  void KeyChanged(const policy::KeyStatus& status, policy::FaultKind cause) override;
  void Ended(const router::LiveRequest& live, const router::Ending& ending) override;

 private:
  const router::Clock& clock_;
};

}  // namespace requestrouter
