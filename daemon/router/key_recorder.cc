#include "daemon/router/key_recorder.h"

#include "daemon/router/key_states.h"

namespace requestrouter::router {

void KeyRecorder::Record(policy::FaultKind cause) {
  for (const policy::KeyStatus& status : dispatcher_.TakeChanged(clock_.Steady())) {
    observer_.KeyChanged(status, cause);
    store_.Submit(ToStored(status, clock_), storage::Durability::kProcess, [](auto) {});
  }
}

}  // namespace requestrouter::router
