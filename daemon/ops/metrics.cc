#include <prometheus/text_serializer.h>

#include "daemon/ops/operations.h"
#include "daemon/ops/process_metrics.h"

namespace requestrouter::ops {

State Operations::TakeState() const {
  const ipc::Value health = HealthBody();
  State state;
  state.now = parts_.clock.Steady();
  state.wall = parts_.clock.Wall();
  state.started = parts_.started;
  state.healthy = health["healthy"].get<bool>();
  state.storage_healthy = health["conversation_store"].get<bool>();
  state.waiting = parts_.chats.waiting_count();
  state.in_flight = parts_.chats.in_flight_count();
  state.unwritten = parts_.chats.unwritten_count();
  state.dropped_messages = parts_.socket.dropped();
  state.lost_log_lines = parts_.lost_log_lines();
  state.keys = parts_.dispatcher.Keys(state.now);
  return state;
}

// The rest is done on the reading thread, when it has asked the database: neither counting
// conversations nor writing text holds up requests.
void Operations::GatherMetrics(const std::function<void(Families)>& done) const {
  parts_.store.Measure([state = TakeState(), &meters = parts_.meters, done](auto size) {
    Families families =
        ToFamilies(state, size ? std::optional(*size) : std::optional<storage::Size>());
    Append(families, meters.Collect());
    Append(families, ProcessMetrics());
    done(std::move(families));
  });
}

void Operations::On(const Asker& asker, const ipc::MetricsRequest&) {
  GatherMetrics([this, &mailbox = parts_.mailbox, asker](const Families& families) {
    mailbox.Post([this, asker, text = prometheus::TextSerializer().Serialize(families)]() mutable {
      Reply(asker, ipc::Value{{"text", std::move(text)}});
    });
  });
}

}  // namespace requestrouter::ops
