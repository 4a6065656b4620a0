#pragma once

#include "daemon/upstream/attempt.h"

namespace requestrouter::router {

// What the router needs of the providers; UpstreamRunner provides it, tests fake it.
class AttemptRunner {
 public:
  virtual ~AttemptRunner() = default;
  virtual void Send(upstream::Attempt attempt) = 0;
  virtual void Cancel(std::int64_t attempt_id) = 0;
  virtual void Pause(std::int64_t attempt_id) = 0;
  virtual void Resume(std::int64_t attempt_id) = 0;
};

}  // namespace requestrouter::router
