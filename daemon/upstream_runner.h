#pragma once

#include "daemon/router/chat_service.h"
#include "daemon/router/mailbox.h"
#include "daemon/router/ports.h"
#include "daemon/upstream/client.h"

namespace requestrouter {

// The upstream thread as the router sees it: attempts go in here, their reports come to the chat
// service on the router thread.
class UpstreamRunner final : public router::AttemptRunner, private upstream::Listener {
 public:
  // `chats` may still be under construction; nothing is reported before the first Send.
  UpstreamRunner(router::Mailbox& mailbox, router::ChatService& chats)
      : mailbox_(mailbox), chats_(chats), client_(this) {}

  void Send(upstream::Attempt attempt) override { client_.Send(std::move(attempt)); }
  void Cancel(std::int64_t attempt_id) override { client_.Cancel(attempt_id); }
  void Pause(std::int64_t attempt_id) override { client_.Pause(attempt_id); }
  void Resume(std::int64_t attempt_id) override { client_.Resume(attempt_id); }

 private:
  void OnDelta(std::int64_t attempt_id, ipc::ChatDelta delta) override {
    mailbox_.Post([this, attempt_id, delta = std::move(delta)] {
      chats_.OnDelta(attempt_id, delta);
    });
  }
  void OnOutcome(std::int64_t attempt_id, upstream::Outcome outcome) override {
    mailbox_.Post([this, attempt_id, outcome = std::move(outcome)] {
      chats_.OnOutcome(attempt_id, outcome);
    });
  }

  router::Mailbox& mailbox_;
  router::ChatService& chats_;
  upstream::Client client_;
};

}  // namespace requestrouter
