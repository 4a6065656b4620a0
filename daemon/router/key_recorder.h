#pragma once

#include "daemon/policy/dispatcher.h"
#include "daemon/router/clock.h"
#include "daemon/router/observer.h"
#include "storage/store.h"

namespace requestrouter::router {

// Every change of a key's state ends here, whoever caused it: the observer is told, so that it is
// logged and counted, and the state is stored, so that the next daemon begins with it. Router
// thread only.
class KeyRecorder {
 public:
  // All of them outlive the recorder.
  KeyRecorder(const Clock& clock, policy::Dispatcher& dispatcher, storage::Store& store,
              Observer& observer)
      : clock_(clock), dispatcher_(dispatcher), store_(store), observer_(observer) {}

  // The keys, and the providers, whose state has changed since the last call. `cause`: the fault of
  // the attempt that changed them; kNone: an answer, an operator or another configuration did.
  void Record(policy::FaultKind cause);

 private:
  const Clock& clock_;
  policy::Dispatcher& dispatcher_;
  storage::Store& store_;
  Observer& observer_;
};

}  // namespace requestrouter::router
