#pragma once

#include <utility>
#include <variant>
#include <vector>

#include "daemon/router/chat_service.h"
#include "daemon/router/ports.h"
#include "daemon/upstream/transfer_loop.h"

namespace requestrouter {

// The providers as the router sees them, on the router's own thread: attempts go in at once, their
// reports are kept until Deliver, so that no report comes in the middle of a decision.
//
// Why not a thread for the transfers: two changes of thread and two allocations freed by another
// thread for each attempt would be a third of a request's CPU (`./dev bench router`).
class UpstreamRunner final : public router::AttemptRunner, private upstream::Listener {
 public:
  UpstreamRunner() : loop_(this, {}) {}

  void Send(upstream::Attempt attempt) override { loop_.Send(std::move(attempt)); }
  void Cancel(std::int64_t attempt_id) override { loop_.Cancel(attempt_id); }
  void Pause(std::int64_t attempt_id) override { loop_.Pause(attempt_id); }
  void Resume(std::int64_t attempt_id) override { loop_.Resume(attempt_id); }

  // Turn() also returns when `descriptor` is readable.
  void Invite(int descriptor) { loop_.Invite(descriptor); }

  // Sends and receives what can be, then sleeps until there is more, a report to deliver, or
  // `until`. Returns the invited descriptors that are readable, valid until the next call.
  const std::vector<int>& Turn(policy::Instant until) {
    loop_.Turn(reports_.empty() ? until : policy::Instant::min());
    return loop_.guests();
  }

  // Tells `chats` what has come since the last call.
  void Deliver(router::ChatService& chats) {
    for (const Report& report : std::exchange(reports_, {})) {
      if (const auto* delta = std::get_if<ipc::ChatDelta>(&report.what)) {
        chats.OnDelta(report.attempt_id, *delta);
      } else {
        chats.OnOutcome(report.attempt_id, std::get<upstream::Outcome>(report.what));
      }
    }
  }

 private:
  struct Report {
    template <typename What>
    Report(std::int64_t id, What&& of) : attempt_id(id), what(std::forward<What>(of)) {}

    std::int64_t attempt_id;
    std::variant<ipc::ChatDelta, upstream::Outcome> what;
  };

  void OnDelta(std::int64_t attempt_id, ipc::ChatDelta delta) override {
    reports_.emplace_back(attempt_id, std::move(delta));
  }
  void OnOutcome(std::int64_t attempt_id, upstream::Outcome outcome) override {
    reports_.emplace_back(attempt_id, std::move(outcome));
  }

  std::vector<Report> reports_;  // before the loop, whose end reports
  upstream::TransferLoop loop_;
};

}  // namespace requestrouter
