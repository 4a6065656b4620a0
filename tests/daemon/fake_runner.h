#pragma once

#include <utility>
#include <vector>

#include "daemon/router/ports.h"

namespace requestrouter::router {

// Attempts as they were sent, waiting for the test to say how they end.
class FakeRunner final : public AttemptRunner {
 public:
  void Send(upstream::Attempt attempt) override { sent.push_back(std::move(attempt)); }
  void Cancel(std::int64_t id) override { cancelled.push_back(id); }
  void Pause(std::int64_t id) override { paused.push_back(id); }
  void Resume(std::int64_t id) override { resumed.push_back(id); }
  std::vector<upstream::Attempt> sent;
  std::vector<std::int64_t> cancelled, paused, resumed;
};

}  // namespace requestrouter::router
