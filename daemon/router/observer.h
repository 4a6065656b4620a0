#pragma once

#include "daemon/policy/classifier.h"
#include "daemon/policy/status.h"
#include "daemon/router/live_request.h"
#include "daemon/upstream/attempt.h"
#include "ipc/chat.h"
#include "ipc/error.h"

namespace requestrouter::router {

// How a request ended, as its answer goes out.
struct Ending {
  const ipc::ChatReply* reply = nullptr;  // exactly one of the two
  const ipc::Error* error = nullptr;
  policy::Instant at;
};

// Told of what happens to chat requests, so that it can be counted and logged. Called on the router
// thread in the middle of their lives: must neither block nor cost much. What it is given is valid
// during the call only.
class Observer {
 public:
  virtual ~Observer() = default;

  // A chat request was refused before its life began: routerd stops, or its id was used before
  // with another body.
  virtual void TurnedAway(ipc::ErrorType /*type*/) {}

  // A request was answered from the records of an earlier one with its id.
  virtual void Replayed() {}

  // An attempt ended; live.grant says with which key and model.
  virtual void AttemptEnded(const LiveRequest& /*live*/, const upstream::Outcome& /*outcome*/,
                            const policy::Report& /*report*/) {}

  // The state of a key, or ("provider/NAME") of a provider, changed after an attempt ended so;
  // kNone: or an operator or another configuration changed it.
  virtual void KeyChanged(const policy::KeyStatus& /*status*/, policy::FaultKind /*cause*/) {}

  // The one answer of a request leaves.
  virtual void Ended(const LiveRequest& /*live*/, const Ending& /*ending*/) {}
};

}  // namespace requestrouter::router
