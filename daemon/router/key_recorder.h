#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "daemon/policy/dispatcher.h"
#include "daemon/router/clock.h"
#include "daemon/router/mailbox.h"
#include "daemon/router/observer.h"
#include "storage/store.h"

namespace requestrouter::router {

// Every change of a key's state ends here, whoever caused it: the observer is told, so that it is
// logged and counted, and the state is stored, so that the next daemon begins with it. States that
// the database refuses are kept, the newest of each key, and tried again. Router thread only.
class KeyRecorder {
 public:
  // All of them outlive the recorder, but that the store may answer when it is gone.
  KeyRecorder(const Clock& clock, Mailbox& mailbox, policy::Dispatcher& dispatcher,
              storage::Store& store, Observer& observer)
      : clock_(clock),
        mailbox_(mailbox),
        dispatcher_(dispatcher),
        store_(store),
        observer_(observer) {}

  // The keys, and the providers, whose state has changed since the last call. `cause`: the fault of
  // the attempt that changed them; kNone: an answer, an operator or another configuration did.
  void Record(policy::FaultKind cause);

  // Tries those that were refused again when it is time to.
  void Retry();
  policy::Instant NextDeadline() const { return refused_.empty() ? policy::kNever : retry_at_; }
  std::size_t refused_count() const { return refused_.size(); }

 private:
  void Store(storage::KeyState state);
  void OnRefused(storage::KeyState state, std::uint64_t number);

  const Clock& clock_;
  Mailbox& mailbox_;
  policy::Dispatcher& dispatcher_;
  storage::Store& store_;
  Observer& observer_;
  std::uint64_t last_number_ = 0;
  std::map<std::string, std::uint64_t> newest_;       // by key_id: number of the last write
  std::map<std::string, storage::KeyState> refused_;  // by key_id
  policy::Instant retry_at_{};
};

}  // namespace requestrouter::router
