#pragma once

#include <string>

#include "daemon/router/clock.h"
#include "daemon/router/observer.h"

namespace requestrouter {

// One line in the log for every chat request when its answer leaves, one at debug level for every
// attempt, and one where a key's state changes. Where the level does not want a line, nothing of it
// is made. Free of content: prompts and answers are never logged.
//
// The lines of requests go out together once a turn: to wake the log's thread for each cost more
// than to make the line.
class RequestLog final : public router::Observer {
 public:
  // `clock` outlives the log.
  explicit RequestLog(const router::Clock& clock) : clock_(clock) {}

  void AttemptEnded(const router::LiveRequest& live, const upstream::Outcome& outcome,
                    const policy::Report& report) override;
  void KeyChanged(const policy::KeyStatus& status, policy::FaultKind cause) override;
  void Ended(const router::LiveRequest& live, const router::Ending& ending) override;

  // Hands on what was held back for company.
  void EndTurn();

 private:
  static constexpr std::size_t kMostTogether = 32 << 10;  // bytes

  const router::Clock& clock_;
  std::string lines_;
};

}  // namespace requestrouter
