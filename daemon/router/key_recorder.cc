#include "daemon/router/key_recorder.h"

#include <utility>

#include "daemon/router/key_states.h"

namespace requestrouter::router {
namespace {

constexpr std::chrono::milliseconds kRetryInterval{250};

}  // namespace

void KeyRecorder::Record(policy::FaultKind cause) {
  const policy::Dispatcher::Changed changed = dispatcher_.TakeChanged(clock_.Steady());
  for (const policy::KeyStatus& status : changed.keys) observer_.KeyChanged(status, cause);
  for (const policy::KnownHealth& known : changed.health) Store(ToStored(known, clock_));
}

void KeyRecorder::Retry() {
  if (clock_.Steady() < NextDeadline()) return;
  for (auto& [key_id, state] : std::exchange(refused_, {})) Store(std::move(state));
}

void KeyRecorder::Store(storage::KeyState state) {
  const std::uint64_t number = newest_[state.key_id] = ++last_number_;
  refused_.erase(state.key_id);
  store_.Submit(state, storage::Durability::kProcess,
                [this, state, number, &mailbox = mailbox_](const auto& written) {
                  if (written) return;
                  mailbox.Post([this, state, number] { OnRefused(state, number); });
                });
}

// Of a key that has another state by now only that one is worth keeping.
void KeyRecorder::OnRefused(storage::KeyState state, std::uint64_t number) {
  if (newest_[state.key_id] != number) return;
  const std::string key_id = state.key_id;
  refused_[key_id] = std::move(state);
  retry_at_ = clock_.Steady() + kRetryInterval;
}

}  // namespace requestrouter::router
