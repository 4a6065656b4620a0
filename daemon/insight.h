#pragma once

#include "daemon/ops/meters.h"
#include "daemon/request_log.h"

namespace requestrouter {

// What happens to requests, counted and logged.
class Insight final : public router::Observer {
 public:
  // Both outlive it.
  Insight(ops::Meters& meters, const router::Clock& clock) : meters_(meters), log_(clock) {}

  void TurnedAway(ipc::ErrorType type) override { meters_.TurnedAway(type); }
  void Replayed() override { meters_.Replayed(); }
  void AttemptEnded(const router::LiveRequest& live, const upstream::Outcome& outcome,
                    const policy::Report& report) override {
    meters_.AttemptEnded(live, outcome, report);
    log_.AttemptEnded(live, outcome, report);
  }
  void KeyChanged(const policy::KeyStatus& status, policy::FaultKind cause) override {
    meters_.KeyChanged(status, cause);
    log_.KeyChanged(status, cause);
  }
  void Ended(const router::LiveRequest& live, const router::Ending& ending) override {
    meters_.Ended(live, ending);
    log_.Ended(live, ending);
  }

  // Once a turn of the loop, and when it has ended.
  void EndTurn() { log_.EndTurn(); }

 private:
  ops::Meters& meters_;
  RequestLog log_;
};

}  // namespace requestrouter
